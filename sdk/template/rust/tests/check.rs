//! Puts the plugin through what a host would: `switchyard-plugin check`.

use std::process::Command;

#[test]
fn a_host_takes_it() {
    // Cargo builds the plugin beside this test.
    let test = std::env::current_exe().unwrap();
    let plugin = test.parent().unwrap().join("lib@name@.so");
    let program = std::env::var("SWITCHYARD_PLUGIN").unwrap_or("switchyard-plugin".into());
    let said = Command::new(&program)
        .args(["check", "--quick"])
        .arg(&plugin)
        .output()
        .unwrap_or_else(|why| panic!("{program}: {why}; it is in the package switchyard-dev"));
    let report = String::from_utf8_lossy(&said.stdout);
    assert!(said.status.success(), "{report}{}", String::from_utf8_lossy(&said.stderr));
    println!("{report}");
}
