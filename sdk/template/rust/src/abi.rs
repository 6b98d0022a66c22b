//! The part of the plugin ABI that this plugin uses, as the C headers of the SDK have it
//! (switchyard/plugin.h and those it includes). Normative: ABI.md. A struct that the host fills or
//! reads has the fields of the header, in its order; more of it is added in the same way.
#![allow(dead_code)]

use std::os::raw::{c_char, c_void};

pub const ABI_MAJOR: u16 = @abi_major@;
pub const ABI_MINOR: u16 = @abi_minor@;
pub const PLUGIN_MAGIC: u32 = 0x6472_6179;

pub type Status = i32;

pub const OK: Status = 0;
pub const CANCELLED: Status = -3;
pub const TIMED_OUT: Status = -5;
pub const UNSUPPORTED: Status = -10;
pub const INTERNAL: Status = -14;

pub type LogLevel = u32;

pub const LOG_INFO: LogLevel = 2;
pub const LOG_WARN: LogLevel = 3;
pub const LOG_ERROR: LogLevel = 4;

pub type CloseReason = u32;

pub const CLOSE_FINISHED: CloseReason = 0;
pub const CLOSE_PEER_GONE: CloseReason = 1;
pub const CLOSE_PROTOCOL_ERROR: CloseReason = 2;
pub const CLOSE_TIMED_OUT: CloseReason = 3;
pub const CLOSE_DRAINED: CloseReason = 5;
pub const CLOSE_INTERNAL: CloseReason = 6;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Text {
    pub data: *const c_char,
    pub size: usize,
}

#[repr(C)]
pub struct Bytes {
    pub data: *const c_void,
    pub size: usize,
}

pub const ERROR_TEXT_SIZE: usize = 500;

#[repr(C)]
pub struct Error {
    pub struct_size: u32,
    pub code: Status,
    pub text: [u8; ERROR_TEXT_SIZE],
}

pub type Callback = unsafe extern "C" fn(*mut c_void);
pub type IoDone = unsafe extern "C" fn(*mut c_void, Status, usize);
pub type DrainDone = unsafe extern "C" fn(*mut c_void);

#[repr(C)]
pub struct Host {
    pub struct_size: u32,
    pub reserved: u32,
    pub host_data: *mut c_void,
    pub log: unsafe extern "C" fn(*const Host, LogLevel, Text),
    pub log_enabled: unsafe extern "C" fn(*const Host, LogLevel) -> u32,
    pub service: unsafe extern "C" fn(*const Host, *const c_char) -> *const c_void,
}

pub const LOOPS: &[u8] = b"switchyard.host.loops/1\0";

#[repr(C)]
pub struct Timer {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct Loops {
    pub struct_size: u32,
    pub count: u32,
    pub current: unsafe extern "C" fn(*const Host) -> u32,
    pub now: unsafe extern "C" fn(*const Host) -> u64,
    pub post: unsafe extern "C" fn(*const Host, u32, Callback, *mut c_void) -> Status,
    pub start_timer:
        unsafe extern "C" fn(*const Host, u64, Callback, *mut c_void, *mut *mut Timer) -> Status,
    pub stop_timer: unsafe extern "C" fn(*const Host, *mut Timer),
    pub adopt: unsafe extern "C" fn(*const Host, i32, *mut *mut Connection) -> Status,
}

#[repr(C)]
pub struct Connection {
    pub api: *const ConnectionApi,
}

#[repr(C)]
pub struct ConnectionApi {
    pub struct_size: u32,
    pub reserved: u32,
    pub try_read: unsafe extern "C" fn(*mut Connection, *mut c_void, usize, *mut usize) -> Status,
    pub wait_readable: unsafe extern "C" fn(*mut Connection, IoDone, *mut c_void) -> Status,
    pub read_some:
        unsafe extern "C" fn(*mut Connection, *mut c_void, usize, IoDone, *mut c_void) -> Status,
    pub try_write:
        unsafe extern "C" fn(*mut Connection, *const Bytes, usize, *mut usize) -> Status,
    pub write:
        unsafe extern "C" fn(*mut Connection, *const Bytes, usize, IoDone, *mut c_void) -> Status,
    pub shutdown_write: unsafe extern "C" fn(*mut Connection) -> Status,
    pub cancel: unsafe extern "C" fn(*mut Connection),
    pub close: unsafe extern "C" fn(*mut Connection, CloseReason),
    pub describe: unsafe extern "C" fn(*mut Connection, *mut c_void) -> Status,
    pub detach: unsafe extern "C" fn(*mut Connection, *mut c_void) -> Status,
}

/// What is behind an instance is the plugin's own affair.
#[repr(C)]
pub struct Instance {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct Plugin {
    pub magic: u32,
    pub struct_size: u32,
    pub abi_major: u16,
    pub abi_minor: u16,
    pub flags: u32,
    pub id: *const c_char,
    pub version: *const c_char,
    pub manifest: *const c_char,
    pub check_config: Option<unsafe extern "C" fn(Text, *mut Error) -> Status>,
    pub init: unsafe extern "C" fn(*const Host, Text, *mut *mut Instance, *mut Error) -> Status,
    pub start: unsafe extern "C" fn(*mut Instance, *mut Error) -> Status,
    pub activate: unsafe extern "C" fn(*mut Instance, *mut Error) -> Status,
    pub serve: Option<unsafe extern "C" fn(*mut Instance, u32, *mut Connection) -> Status>,
    pub serve_descriptor:
        Option<unsafe extern "C" fn(*mut Instance, u32, *const c_void) -> Status>,
    pub health: unsafe extern "C" fn(*mut Instance, *mut Error) -> Status,
    pub drain: unsafe extern "C" fn(*mut Instance, u64, DrainDone, *mut c_void) -> Status,
    pub abort_all: unsafe extern "C" fn(*mut Instance),
    pub stop: unsafe extern "C" fn(*mut Instance, *mut Error) -> Status,
    pub destroy: unsafe extern "C" fn(*mut Instance),
    pub query: Option<unsafe extern "C" fn(*mut Instance, *const c_char) -> *const c_void>,
    pub quiesce: Option<unsafe extern "C" fn(*mut Instance, *const c_void, *mut Error) -> Status>,
    pub take_over: Option<unsafe extern "C" fn(*mut Instance, *const c_void, *mut Error) -> Status>,
}

unsafe impl Sync for Plugin {} // it is only read

/// The ELF note from which the host reads the manifest without running code.
#[repr(C, align(4))]
pub struct Note<const SIZE: usize> {
    pub name_size: u32,
    pub text_size: u32,
    pub kind: u32,
    pub name: [u8; 12],
    pub text: [u8; SIZE],
}

/// `text` ends with its one NUL.
pub const fn note<const SIZE: usize>(text: &str) -> Note<SIZE> {
    let mut bytes = [0; SIZE];
    let mut at = 0;
    while at < SIZE {
        bytes[at] = text.as_bytes()[at];
        at += 1;
    }
    Note { name_size: 11, text_size: SIZE as u32, kind: 1, name: *b"switchyard\0\0", text: bytes }
}
