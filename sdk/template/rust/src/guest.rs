//! The connections of an instance: each is a guest, in the room of the loop that accepted it.
//!
//! A panic must not reach the host: every function that it calls runs in `catch_unwind`. What would
//! keep the code in memory is avoided here, too: no `thread_local!`, no `std::thread`, no `println!`.

use crate::abi::{self, Bytes, CloseReason, Connection, Host, Loops, Status, Text, Timer};
use crate::greeting::{first_line, greeting, LINE_MAX};
use std::cell::UnsafeCell;
use std::os::raw::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::{addr_of_mut, null_mut};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const PATIENCE: u64 = 60_000_000_000; // ns a guest may say nothing, or read nothing
const WAIT_LIMIT: Duration = Duration::from_secs(5);

/// Why a guest has to leave.
type Left = Result<(), CloseReason>;

struct Guest {
    room: *const Room,
    place: usize, // in Inside::guests
    connection: *mut Connection,
    timer: *mut Timer, // ends the patience
    answering: bool,   // a write is in flight
    said: [u8; LINE_MAX],
    size: usize, // of what it has said and not been answered
    answer: Vec<u8>,
}

/// The guests of one loop.
pub struct Room {
    all: *const Guests,
    inside: UnsafeCell<Inside>, // no other thread looks at it, so there is no lock
}

struct Inside {
    guests: Vec<*mut Guest>,
    closing: bool, // a guest leaves as soon as it has its answer
}

/// What all threads look at.
#[derive(Default)]
struct Counts {
    guests: usize,
    visits: usize, // posted to a loop, and not yet run
    draining: bool,
    drained: Option<(abi::DrainDone, *mut c_void)>,
}

pub struct Guests {
    host: *const Host,
    loops: *const Loops,
    rooms: Vec<Room>,
    counts: Mutex<Counts>,
    changed: Condvar,
}

impl Guests {
    /// Boxed, because its rooms know its address.
    pub fn new(host: *const Host, loops: *const Loops) -> Box<Guests> {
        let mut guests = Box::new(Guests {
            host,
            loops,
            rooms: Vec::new(),
            counts: Mutex::new(Counts::default()),
            changed: Condvar::new(),
        });
        let all: *const Guests = &*guests;
        let count = unsafe { (*loops).count };
        guests.rooms.extend((0..count).map(|_| Room {
            all,
            inside: UnsafeCell::new(Inside { guests: Vec::new(), closing: false }),
        }));
        guests
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the connection and returns OK, or leaves it alone. On its loop.
    pub fn enter(&self, connection: *mut Connection) -> Status {
        let room = &self.rooms[unsafe { ((*self.loops).current)(self.host) } as usize];
        {
            let mut counts = self.counts();
            if counts.draining {
                return abi::CANCELLED;
            }
            counts.guests += 1;
        }
        let inside = unsafe { &mut *room.inside.get() };
        let guest = Box::into_raw(Box::new(Guest {
            room,
            place: inside.guests.len(),
            connection,
            timer: null_mut(),
            answering: false,
            said: [0; LINE_MAX],
            size: 0,
            answer: Vec::new(),
        }));
        inside.guests.push(guest);
        unsafe { step(guest, Guest::listen) }; // it may have left when this returns
        abi::OK
    }

    /// Lets every guest have its answer and leave, then calls `done`.
    pub fn drain(&self, done: abi::DrainDone, context: *mut c_void) {
        {
            let mut counts = self.counts();
            counts.draining = true;
            counts.drained = Some((done, context));
            counts.guests += 1; // the drain itself, so that it does not end before it has begun
        }
        self.visit_rooms(let_finish);
        self.count_down(|counts| counts.guests -= 1);
    }

    /// Has every loop close the connections it still has.
    pub fn abort(&self) {
        self.visit_rooms(throw_out);
    }

    /// Returns when no guest and no visit is left; false when that takes too long.
    pub fn wait(&self) -> bool {
        let some_left = |counts: &mut Counts| counts.guests + counts.visits != 0;
        let waited = self.changed.wait_timeout_while(self.counts(), WAIT_LIMIT, some_left);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    fn visit_rooms(&self, visit: abi::Callback) {
        for (at, room) in self.rooms.iter().enumerate() {
            self.counts().visits += 1;
            let context = room as *const Room as *mut c_void;
            if unsafe { ((*self.loops).post)(self.host, at as u32, visit, context) } != abi::OK {
                self.count_down(|counts| counts.visits -= 1);
            }
        }
    }

    /// One guest or visit less. The last guest of a drain tells the host.
    fn count_down(&self, less: impl FnOnce(&mut Counts)) {
        let mut counts = self.counts();
        less(&mut counts);
        let done = if counts.draining && counts.guests == 0 { counts.drained.take() } else { None };
        self.changed.notify_one();
        drop(counts); // whoever waits may free all of this now
        if let Some((done, context)) = done {
            unsafe { done(context) };
        }
    }
}

impl Guest {
    fn all(&self) -> &Guests {
        unsafe { &*(*self.room).all }
    }

    fn closing(&self) -> bool {
        unsafe { (*(*self.room).inside.get()).closing }
    }

    /// Answers the first line, if there is a whole one, and else waits for more of it.
    fn listen(&mut self) -> Left {
        let line = match first_line(&self.said[..self.size]) {
            Some(line) => line,
            None => return self.hear_more(),
        };
        self.answer = greeting(&self.said[..line]);
        self.said.copy_within(line..self.size, 0);
        self.size -= line;
        self.be_patient()?;
        self.answering = true;
        let answer = Bytes { data: self.answer.as_ptr().cast(), size: self.answer.len() };
        let context = self as *mut Guest as *mut c_void;
        let api = unsafe { &*(*self.connection).api };
        match unsafe { (api.write)(self.connection, &answer, 1, answered, context) } {
            abi::OK => Ok(()),
            _ => Err(abi::CLOSE_PEER_GONE),
        }
    }

    fn hear_more(&mut self) -> Left {
        if self.size == LINE_MAX {
            return Err(abi::CLOSE_PROTOCOL_ERROR); // a line without an end
        }
        if self.closing() && self.size == 0 {
            return Err(abi::CLOSE_DRAINED);
        }
        self.be_patient()?;
        let context = self as *mut Guest as *mut c_void;
        let space = &mut self.said[self.size..];
        let (into, size) = (space.as_mut_ptr().cast(), space.len());
        let api = unsafe { &*(*self.connection).api };
        match unsafe { (api.read_some)(self.connection, into, size, heard, context) } {
            abi::OK => Ok(()),
            _ => Err(abi::CLOSE_PEER_GONE),
        }
    }

    /// Begins the patience anew.
    fn be_patient(&mut self) -> Left {
        let context = self as *mut Guest as *mut c_void;
        let (host, loops) = (self.all().host, unsafe { &*self.all().loops });
        if !self.timer.is_null() {
            unsafe { (loops.stop_timer)(host, self.timer) };
            self.timer = null_mut();
        }
        let due = unsafe { (loops.now)(host) } + PATIENCE;
        let timer = addr_of_mut!(self.timer);
        match unsafe { (loops.start_timer)(host, due, patience_ends, context, timer) } {
            abi::OK => Ok(()),
            _ => Err(abi::CLOSE_DRAINED),
        }
    }
}

/// One step of a conversation, at whose end the guest may leave. A panic closes its connection.
unsafe fn step(guest: *mut Guest, what: impl FnOnce(&mut Guest) -> Left) {
    match catch_unwind(AssertUnwindSafe(|| what(&mut *guest))) {
        Ok(Ok(())) => {}
        Ok(Err(reason)) => leave(guest, reason),
        Err(_) => {
            log((*guest).all().host, abi::LOG_ERROR, "a panic ended a connection");
            leave(guest, abi::CLOSE_INTERNAL)
        }
    }
}

unsafe fn leave(guest: *mut Guest, reason: CloseReason) {
    let gone = Box::from_raw(guest);
    let all = gone.all();
    let inside = &mut *(*gone.room).inside.get();
    inside.guests.swap_remove(gone.place);
    if let Some(&moved) = inside.guests.get(gone.place) {
        (*moved).place = gone.place;
    }
    if !gone.timer.is_null() {
        ((*all.loops).stop_timer)(all.host, gone.timer);
    }
    ((*(*gone.connection).api).close)(gone.connection, reason); // drops what is in flight
    let all: *const Guests = all;
    drop(gone);
    (*all).count_down(|counts| counts.guests -= 1);
}

unsafe extern "C" fn heard(context: *mut c_void, status: Status, transferred: usize) {
    step(context.cast(), |guest| match (status, transferred) {
        (abi::OK, 0) => Err(abi::CLOSE_FINISHED), // the peer has said all it wants
        (abi::OK, size) => {
            guest.size += size;
            guest.listen()
        }
        _ => Err(abi::CLOSE_PEER_GONE),
    });
}

unsafe extern "C" fn answered(context: *mut c_void, status: Status, _transferred: usize) {
    step(context.cast(), |guest| {
        guest.answering = false;
        if status == abi::OK {
            guest.listen()
        } else {
            Err(abi::CLOSE_PEER_GONE)
        }
    });
}

unsafe extern "C" fn patience_ends(context: *mut c_void) {
    step(context.cast(), |guest| {
        guest.timer = null_mut(); // a timer that has fired is gone
        Err(abi::CLOSE_TIMED_OUT)
    });
}

unsafe extern "C" fn let_finish(context: *mut c_void) {
    send_away(context.cast(), |guest| !guest.answering && guest.size == 0);
}

unsafe extern "C" fn throw_out(context: *mut c_void) {
    send_away(context.cast(), |_| true);
}

unsafe fn send_away(room: *const Room, who: fn(&Guest) -> bool) {
    let inside = (*room).inside.get();
    (*inside).closing = true;
    for at in (0..(*inside).guests.len()).rev() {
        let guest = (&(*inside).guests)[at]; // from the end: what takes a free place has been seen
        if who(&*guest) {
            leave(guest, abi::CLOSE_DRAINED);
        }
    }
    (*(*room).all).count_down(|counts| counts.visits -= 1);
}

/// Writes one line to the host's log under the plugin's name.
pub fn log(host: *const Host, level: abi::LogLevel, line: &str) {
    let line = Text { data: line.as_ptr().cast(), size: line.len() };
    unsafe { ((*host).log)(host, level, line) };
}
