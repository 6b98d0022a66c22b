//! What is said on the wire: a line comes, "hello, LINE" goes. Bytes in, bytes out: no connection,
//! clock or thread, so that a test needs none either.

/// Bytes of a line, its end included.
pub const LINE_MAX: usize = 200;

/// The length of the first line of `said`, its `\n` included; None when there is no whole one yet.
pub fn first_line(said: &[u8]) -> Option<usize> {
    said.iter().position(|&byte| byte == b'\n').map(|end| end + 1)
}

pub fn greeting(line: &[u8]) -> Vec<u8> {
    [b"hello, ", line].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_an_end() {
        assert_eq!(first_line(b""), None);
        assert_eq!(first_line(b"ann"), None);
        assert_eq!(first_line(b"ann\nbob\n"), Some(4));
    }

    #[test]
    fn it_is_greeted() {
        assert_eq!(greeting(b"ann\n"), b"hello, ann\n");
    }
}
