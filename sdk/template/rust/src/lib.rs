//! What the host calls, in the order of a plugin's life. Normative: ABI.md of the SDK.

mod abi;
mod greeting;
mod guest;

use abi::{Connection, Error, Host, Instance, Loops, Plugin, Status, Text};
use guest::Guests;
use std::os::raw::{c_char, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};

/// Both copies of the manifest that the host compares. Id and version below say the same.
const MANIFEST: &str = concat!(include_str!("../manifest.json"), "\0");

#[used]
#[link_section = ".note.switchyard"]
static NOTE: abi::Note<{ MANIFEST.len() }> = abi::note(MANIFEST);

#[no_mangle]
#[allow(non_upper_case_globals)]
pub static switchyard_plugin_v0: Plugin = Plugin {
    magic: abi::PLUGIN_MAGIC,
    struct_size: std::mem::size_of::<Plugin>() as u32,
    abi_major: abi::ABI_MAJOR,
    abi_minor: abi::ABI_MINOR,
    flags: 0,
    id: "@id@\0".as_ptr() as *const c_char,
    version: concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr() as *const c_char,
    manifest: MANIFEST.as_ptr() as *const c_char,
    check_config: None,
    init,
    start,
    activate,
    serve: Some(serve),
    serve_descriptor: None,
    health,
    drain,
    abort_all,
    stop,
    destroy,
    query: None,
    quiesce: None,
    take_over: None,
};

/// Runs `body`; a panic or an Err is a status and a sentence for the operator: what is wrong,
/// where, and what to do about it.
unsafe fn guarded(
    error: *mut Error,
    body: impl FnOnce() -> Result<(), (Status, &'static str)>,
) -> Status {
    let failed = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => return abi::OK,
        Ok(Err(failed)) => failed,
        Err(_) => (abi::INTERNAL, "a panic"),
    };
    let text = &mut (*error).text;
    let size = failed.1.len().min(text.len() - 1);
    text[..size].copy_from_slice(&failed.1.as_bytes()[..size]);
    text[size] = 0;
    (*error).code = failed.0;
    failed.0
}

unsafe fn guests<'a>(instance: *mut Instance) -> &'a Guests {
    &*(instance as *const Guests)
}

/// `config` is an empty table: there is no check_config.
unsafe extern "C" fn init(
    host: *const Host,
    _config: Text,
    made: *mut *mut Instance,
    error: *mut Error,
) -> Status {
    guarded(error, || {
        // The hook of std would make a thread-local on a thread of the host, which keeps the code in
        // memory. What is caught is logged or returned instead.
        std::panic::set_hook(Box::new(|_| {}));
        let loops = ((*host).service)(host, abi::LOOPS.as_ptr().cast()) as *const Loops;
        if loops.is_null() {
            return Err((abi::UNSUPPORTED, "this host has no switchyard.host.loops/1"));
        }
        *made = Box::into_raw(Guests::new(host, loops)).cast();
        Ok(())
    })
}

/// Get ready: threads, tables. Take nothing that a second instance could not have, too.
unsafe extern "C" fn start(_instance: *mut Instance, _error: *mut Error) -> Status {
    abi::OK
}

/// Begin work of your own: dial, take what is exclusive.
unsafe extern "C" fn activate(_instance: *mut Instance, _error: *mut Error) -> Status {
    abi::OK
}

unsafe extern "C" fn serve(
    instance: *mut Instance,
    _protocol: u32,
    connection: *mut Connection,
) -> Status {
    // Whatever panics in a conversation has been caught there; here nothing has been taken yet.
    catch_unwind(AssertUnwindSafe(|| guests(instance).enter(connection))).unwrap_or(abi::INTERNAL)
}

unsafe extern "C" fn health(_instance: *mut Instance, _error: *mut Error) -> Status {
    abi::OK
}

unsafe extern "C" fn drain(
    instance: *mut Instance,
    _deadline: u64, // the host keeps it: abort_all comes then
    done: abi::DrainDone,
    context: *mut c_void,
) -> Status {
    match catch_unwind(AssertUnwindSafe(|| guests(instance).drain(done, context))) {
        Ok(()) => abi::OK,
        Err(_) => abi::INTERNAL,
    }
}

unsafe extern "C" fn abort_all(instance: *mut Instance) {
    drop(catch_unwind(AssertUnwindSafe(|| guests(instance).abort())));
}

unsafe extern "C" fn stop(instance: *mut Instance, error: *mut Error) -> Status {
    guarded(error, || match guests(instance).wait() {
        true => Ok(()),
        false => Err((abi::TIMED_OUT, "a connection does not end")),
    })
}

unsafe extern "C" fn destroy(instance: *mut Instance) {
    let all = AssertUnwindSafe(Box::from_raw(instance as *mut Guests));
    drop(catch_unwind(move || drop(all)));
    drop(catch_unwind(|| drop(std::panic::take_hook())));
}

