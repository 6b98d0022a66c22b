// raftpeer is a real hashicorp/raft node for interoperability tests.
//
// It is driven by single lines of text on stdin and, if -http is given, by
// GET /cmd?q=<line>. Every command answers with exactly one line that starts
// with "ok" or "err" (the commands "log", "dump" and "help" may answer several
// lines, closed by a line with a single dot). ../README.md names them.
package main

import (
	"bufio"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/ioutil"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb"
)

// ---------------------------------------------------------------- the FSM

// kvFSM is a small deterministic state machine. Commands are text:
//
//	set <key> <value...>      -> "ok"
//	cas <key> <old> <new>     -> "ok" or "fail <current>"
//	del <key>                 -> "ok"
//	get <key>                 -> the value (a read that goes through the log)
//	anything else             -> "ok" (counted and hashed only)
//
// Every command changes count and a chained SHA-256, so two nodes that applied
// the same commands in the same order show the same pair.
type kvFSM struct {
	mu    sync.Mutex
	kv    map[string]string
	count uint64
	chain [32]byte
	last  uint64
	pad   int
}

func newFSM(pad int) *kvFSM { return &kvFSM{kv: map[string]string{}, pad: pad} }

func (f *kvFSM) Apply(l *raft.Log) interface{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count++
	f.last = l.Index
	h := sha256.New()
	h.Write(f.chain[:])
	h.Write(l.Data)
	copy(f.chain[:], h.Sum(nil))
	w := strings.Fields(string(l.Data))
	if len(w) == 0 {
		return "ok"
	}
	switch {
	case w[0] == "set" && len(w) >= 2:
		f.kv[w[1]] = strings.Join(w[2:], " ")
		return "ok"
	case w[0] == "del" && len(w) == 2:
		delete(f.kv, w[1])
		return "ok"
	case w[0] == "get" && len(w) == 2:
		return f.kv[w[1]]
	case w[0] == "cas" && len(w) == 4:
		if f.kv[w[1]] == w[2] {
			f.kv[w[1]] = w[3]
			return "ok"
		}
		return "fail " + f.kv[w[1]]
	}
	return "ok"
}

type kvSnap struct {
	kv    map[string]string
	count uint64
	chain [32]byte
	pad   int
}

func (f *kvFSM) Snapshot() (raft.FSMSnapshot, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := make(map[string]string, len(f.kv))
	for k, v := range f.kv {
		c[k] = v
	}
	return &kvSnap{c, f.count, f.chain, f.pad}, nil
}

// Snapshot text: "KVT1\n", count, chain hash in hex, number of pairs, then one
// "hex(key) hex(value)" line a pair in key order, then pad bytes of 'P'.
func (s *kvSnap) Persist(sink raft.SnapshotSink) error {
	w := bufio.NewWriterSize(sink, 1<<16)
	fmt.Fprintf(w, "KVT1\n%d\n%s\n%d\n", s.count, hex.EncodeToString(s.chain[:]), len(s.kv))
	keys := make([]string, 0, len(s.kv))
	for k := range s.kv {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		fmt.Fprintf(w, "%s %s\n", hex.EncodeToString([]byte(k)), hex.EncodeToString([]byte(s.kv[k])))
	}
	for i := 0; i < s.pad; i++ {
		w.WriteByte('P')
	}
	if err := w.Flush(); err != nil {
		sink.Cancel()
		return err
	}
	return sink.Close()
}
func (s *kvSnap) Release() {}

func (f *kvFSM) Restore(rc io.ReadCloser) error {
	defer rc.Close()
	r := bufio.NewReaderSize(rc, 1<<16)
	line := func() (string, error) {
		s, err := r.ReadString('\n')
		return strings.TrimSuffix(s, "\n"), err
	}
	if m, err := line(); err != nil || m != "KVT1" {
		return fmt.Errorf("bad snapshot magic %q %v", m, err)
	}
	cs, err := line()
	if err != nil {
		return err
	}
	count, err := strconv.ParseUint(cs, 10, 64)
	if err != nil {
		return err
	}
	hs, err := line()
	if err != nil {
		return err
	}
	hb, err := hex.DecodeString(hs)
	if err != nil || len(hb) != 32 {
		return errors.New("bad chain hash")
	}
	ns, err := line()
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(ns)
	if err != nil {
		return err
	}
	kv := map[string]string{}
	for i := 0; i < n; i++ {
		l, err := line()
		if err != nil {
			return err
		}
		p := strings.SplitN(l, " ", 2)
		if len(p) != 2 {
			return errors.New("bad pair line")
		}
		k, e1 := hex.DecodeString(p[0])
		v, e2 := hex.DecodeString(p[1])
		if e1 != nil || e2 != nil {
			return errors.New("bad hex in pair line")
		}
		kv[string(k)] = string(v)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kv, f.count = kv, count
	copy(f.chain[:], hb)
	return nil
}

func (f *kvFSM) summary() (uint64, string, int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count, hex.EncodeToString(f.chain[:8]), len(f.kv)
}

// ------------------------------------------------------- the stream layer

// stream adds to plain TCP: the type byte (or TLS, or both) that Consul puts
// in front, and a switch that cuts the node off (isolate) or one peer (block).
type stream struct {
	ln       net.Listener
	adv      net.Addr
	prefix   bool
	tlsByte  bool
	tlsSrv   *tls.Config
	tlsCli   *tls.Config
	isolated int32
	mu       sync.Mutex
	blocked  map[string]bool
	conns    map[net.Conn]bool
	ready    chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func (s *stream) track(c net.Conn) net.Conn {
	t := &trackedConn{Conn: c, s: s}
	s.mu.Lock()
	s.conns[t] = true
	s.mu.Unlock()
	return t
}

type trackedConn struct {
	net.Conn
	s *stream
}

func (t *trackedConn) Close() error {
	t.s.mu.Lock()
	delete(t.s.conns, t)
	t.s.mu.Unlock()
	return t.Conn.Close()
}

func (s *stream) run() {
	for {
		c, err := s.ln.Accept()
		if err != nil {
			return
		}
		if atomic.LoadInt32(&s.isolated) == 1 {
			c.Close()
			continue
		}
		go s.greet(c)
	}
}

func readByte(c net.Conn) (byte, error) {
	var b [1]byte
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, err := io.ReadFull(c, b[:])
	c.SetReadDeadline(time.Time{})
	return b[0], err
}

// greet reads what a Consul server expects before the raft stream.
func (s *stream) greet(c net.Conn) {
	if s.tlsSrv != nil {
		if s.tlsByte {
			if b, err := readByte(c); err != nil || b != 3 {
				c.Close()
				return
			}
		}
		tc := tls.Server(c, s.tlsSrv)
		tc.SetDeadline(time.Now().Add(10 * time.Second))
		if err := tc.Handshake(); err != nil {
			c.Close()
			return
		}
		tc.SetDeadline(time.Time{})
		c = tc
	}
	if s.prefix {
		if b, err := readByte(c); err != nil || b != 1 {
			c.Close()
			return
		}
	}
	select {
	case s.ready <- s.track(c):
	case <-s.closed:
		c.Close()
	}
}

func (s *stream) Accept() (net.Conn, error) {
	select {
	case c := <-s.ready:
		return c, nil
	case <-s.closed:
		return nil, errors.New("closed")
	}
}
func (s *stream) Close() error {
	s.once.Do(func() { close(s.closed); s.ln.Close() })
	return nil
}
func (s *stream) Addr() net.Addr { return s.adv }

func (s *stream) Dial(a raft.ServerAddress, d time.Duration) (net.Conn, error) {
	s.mu.Lock()
	b := s.blocked[string(a)]
	s.mu.Unlock()
	if b || atomic.LoadInt32(&s.isolated) == 1 {
		return nil, errors.New("blocked by test")
	}
	c, err := net.DialTimeout("tcp", string(a), d)
	if err != nil {
		return nil, err
	}
	if s.tlsCli != nil {
		if s.tlsByte {
			if _, err := c.Write([]byte{3}); err != nil {
				c.Close()
				return nil, err
			}
		}
		tc := tls.Client(c, s.tlsCli)
		tc.SetDeadline(time.Now().Add(d))
		if err := tc.Handshake(); err != nil {
			c.Close()
			return nil, err
		}
		tc.SetDeadline(time.Time{})
		c = tc
	}
	if s.prefix {
		if _, err := c.Write([]byte{1}); err != nil {
			c.Close()
			return nil, err
		}
	}
	return s.track(c), nil
}

func (s *stream) cut(on bool) {
	v := int32(0)
	if on {
		v = 1
	}
	atomic.StoreInt32(&s.isolated, v)
	if on {
		s.dropAll()
	}
}
func (s *stream) dropAll() {
	s.mu.Lock()
	cs := make([]net.Conn, 0, len(s.conns))
	for c := range s.conns {
		cs = append(cs, c)
	}
	s.mu.Unlock()
	for _, c := range cs {
		c.Close()
	}
}

type strAddr string

func (a strAddr) Network() string { return "tcp" }
func (a strAddr) String() string  { return string(a) }

// ------------------------------------------------------------------- main

type node struct {
	r     *raft.Raft
	fsm   *kvFSM
	st    *stream
	logs  raft.LogStore
	trans *raft.NetworkTransport
	id    string
	addr  string
	quit  chan struct{}
	once  sync.Once
}

func fatal(v ...interface{}) { fmt.Fprintln(os.Stderr, v...); os.Exit(2) }

func main() {
	id := flag.String("id", "", "server id (default: the advertised address)")
	bind := flag.String("bind", "127.0.0.1:0", "listen address (loopback only)")
	adv := flag.String("advertise", "", "address told to peers (default: the bound one)")
	boot := flag.String("bootstrap", "", "id=addr[,id=addr...]: write this as first configuration when there is no state; a '!' before an id makes it a nonvoter")
	store := flag.String("store", "inmem", "inmem or bolt")
	snaps := flag.String("snapshots", "inmem", "inmem, file or discard")
	dir := flag.String("dir", "", "directory for -store bolt and -snapshots file")
	proto := flag.Int("protocol", 3, "raft protocol version")
	prefix := flag.Bool("prefix-byte", false, "write byte 0x01 first on outgoing connections and expect it on incoming ones")
	cert := flag.String("tls-cert", "", "PEM certificate: turns TLS on")
	key := flag.String("tls-key", "", "PEM key")
	ca := flag.String("tls-ca", "", "PEM CA: peers must present a certificate of it")
	sname := flag.String("tls-name", "", "server name to verify on outgoing connections")
	tlsByte := flag.Bool("tls-byte", false, "byte 0x03 before the TLS handshake, as Consul does")
	hb := flag.Duration("heartbeat", time.Second, "HeartbeatTimeout")
	el := flag.Duration("election", time.Second, "ElectionTimeout")
	lease := flag.Duration("lease", 500*time.Millisecond, "LeaderLeaseTimeout")
	commit := flag.Duration("commit", 50*time.Millisecond, "CommitTimeout")
	maxAppend := flag.Int("max-append", 64, "MaxAppendEntries")
	trailing := flag.Uint64("trailing", 10240, "TrailingLogs")
	thr := flag.Uint64("snapshot-threshold", 8192, "SnapshotThreshold")
	sint := flag.Duration("snapshot-interval", 120*time.Second, "SnapshotInterval")
	pad := flag.Int("snapshot-pad", 0, "extra bytes in every snapshot")
	pool := flag.Int("pool", 3, "pooled connections per peer")
	timeout := flag.Duration("io-timeout", 10*time.Second, "network I/O timeout")
	httpAddr := flag.String("http", "", "loopback address for GET /cmd?q=...")
	level := flag.String("log", "WARN", "log level on stderr")
	stay := flag.Bool("stay-on-remove", true, "do not shut raft down when removed")
	flag.Parse()

	ln, err := net.Listen("tcp", *bind)
	if err != nil {
		fatal(err)
	}
	if ip := ln.Addr().(*net.TCPAddr).IP; !ip.IsLoopback() {
		fatal("bind address must be a loopback address")
	}
	a := *adv
	if a == "" {
		a = ln.Addr().String()
	}
	if *id == "" {
		*id = a
	}
	st := &stream{ln: ln, adv: strAddr(a), prefix: *prefix, tlsByte: *tlsByte,
		blocked: map[string]bool{}, conns: map[net.Conn]bool{},
		ready: make(chan net.Conn), closed: make(chan struct{})}
	if *cert != "" {
		c, err := tls.LoadX509KeyPair(*cert, *key)
		if err != nil {
			fatal(err)
		}
		st.tlsSrv = &tls.Config{Certificates: []tls.Certificate{c}}
		st.tlsCli = &tls.Config{Certificates: []tls.Certificate{c}, ServerName: *sname}
		if *ca != "" {
			pem, err := ioutil.ReadFile(*ca)
			if err != nil {
				fatal(err)
			}
			p := x509.NewCertPool()
			p.AppendCertsFromPEM(pem)
			st.tlsSrv.ClientCAs, st.tlsSrv.ClientAuth = p, tls.RequireAndVerifyClientCert
			st.tlsCli.RootCAs = p
		}
		if *sname == "" {
			st.tlsCli.InsecureSkipVerify = true // loopback tests without names
		}
	}
	go st.run()

	lg := hclog.New(&hclog.LoggerOptions{Name: *id, Level: hclog.LevelFromString(*level), Output: os.Stderr})
	c := raft.DefaultConfig()
	c.LocalID = raft.ServerID(*id)
	c.ProtocolVersion = raft.ProtocolVersion(*proto)
	c.HeartbeatTimeout, c.ElectionTimeout, c.LeaderLeaseTimeout, c.CommitTimeout = *hb, *el, *lease, *commit
	c.MaxAppendEntries, c.TrailingLogs, c.SnapshotThreshold, c.SnapshotInterval = *maxAppend, *trailing, *thr, *sint
	c.ShutdownOnRemove = !*stay
	c.Logger = lg

	var logs raft.LogStore
	var stable raft.StableStore
	switch *store {
	case "inmem":
		s := raft.NewInmemStore()
		logs, stable = s, s
	case "bolt":
		if err := os.MkdirAll(*dir, 0755); err != nil {
			fatal(err)
		}
		s, err := raftboltdb.NewBoltStore(filepath.Join(*dir, "raft.db"))
		if err != nil {
			fatal(err)
		}
		logs, stable = s, s
	default:
		fatal("unknown -store")
	}
	var snapStore raft.SnapshotStore
	switch *snaps {
	case "inmem":
		snapStore = raft.NewInmemSnapshotStore()
	case "discard":
		snapStore = raft.NewDiscardSnapshotStore()
	case "file":
		if err := os.MkdirAll(*dir, 0755); err != nil {
			fatal(err)
		}
		fs, err := raft.NewFileSnapshotStoreWithLogger(*dir, 2, lg)
		if err != nil {
			fatal(err)
		}
		snapStore = fs
	default:
		fatal("unknown -snapshots")
	}
	tr := raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{Stream: st, MaxPool: *pool, Timeout: *timeout, Logger: lg})
	fsm := newFSM(*pad)

	if *boot != "" {
		has, err := raft.HasExistingState(logs, stable, snapStore)
		if err != nil {
			fatal(err)
		}
		if !has {
			var cfg raft.Configuration
			for _, p := range strings.Split(*boot, ",") {
				q := strings.SplitN(p, "=", 2)
				if len(q) != 2 {
					fatal("bad -bootstrap")
				}
				s := raft.Server{Suffrage: raft.Voter, ID: raft.ServerID(q[0]), Address: raft.ServerAddress(q[1])}
				if strings.HasPrefix(q[0], "!") {
					s.Suffrage, s.ID = raft.Nonvoter, raft.ServerID(q[0][1:])
				}
				cfg.Servers = append(cfg.Servers, s)
			}
			if err := raft.BootstrapCluster(c, logs, stable, snapStore, tr, cfg); err != nil {
				fatal(err)
			}
		}
	}
	r, err := raft.NewRaft(c, fsm, logs, stable, snapStore, tr)
	if err != nil {
		fatal(err)
	}
	n := &node{r: r, fsm: fsm, st: st, logs: logs, trans: tr, id: *id, addr: a, quit: make(chan struct{})}

	if *httpAddr != "" {
		hl, err := net.Listen("tcp", *httpAddr)
		if err != nil {
			fatal(err)
		}
		if !hl.Addr().(*net.TCPAddr).IP.IsLoopback() {
			fatal("-http must be a loopback address")
		}
		http.HandleFunc("/cmd", func(w http.ResponseWriter, q *http.Request) {
			fmt.Fprintln(w, n.exec(q.URL.Query().Get("q")))
		})
		go http.Serve(hl, nil)
		fmt.Printf("ready id=%s addr=%s http=%s pid=%d\n", *id, a, hl.Addr(), os.Getpid())
	} else {
		fmt.Printf("ready id=%s addr=%s pid=%d\n", *id, a, os.Getpid())
	}
	go func() {
		sc := bufio.NewScanner(os.Stdin)
		sc.Buffer(make([]byte, 1<<20), 64<<20)
		for sc.Scan() {
			if strings.TrimSpace(sc.Text()) != "" {
				fmt.Println(n.exec(sc.Text()))
			}
		}
		if *httpAddr == "" {
			n.stop() // stdin closed and no other control: do not linger
		}
	}()
	<-n.quit
	time.Sleep(20 * time.Millisecond)
}

func (n *node) stop() {
	n.once.Do(func() {
		n.r.Shutdown().Error()
		n.st.Close()
		n.st.dropAll()
		close(n.quit)
	})
}

func res(err error) string {
	if err != nil {
		return "err " + err.Error()
	}
	return "ok"
}

func (n *node) leaderID() string {
	a := n.r.Leader()
	if a == "" {
		return ""
	}
	f := n.r.GetConfiguration()
	if f.Error() == nil {
		for _, s := range f.Configuration().Servers {
			if s.Address == a {
				return string(s.ID)
			}
		}
	}
	return ""
}

const opTimeout = 10 * time.Second

func (n *node) exec(line string) string {
	line = strings.TrimRight(line, "\r\n")
	w := strings.Fields(line)
	if len(w) == 0 {
		return "err empty"
	}
	arg := ""
	if i := strings.Index(line, " "); i >= 0 {
		arg = strings.TrimLeft(line[i:], " ")
	}
	num := func(i int) uint64 {
		if i >= len(w) {
			return 0
		}
		v, _ := strconv.ParseUint(w[i], 10, 64)
		return v
	}
	switch w[0] {
	case "help":
		return strings.Join([]string{"apply TEXT | applyhex HEX | applyext HEXDATA HEXEXT | bench SECONDS CONC SIZE", "get K | sum | state | leader | index | stats | config | peers | dump | log [FROM [TO]]",
			"barrier | verify | snapshot | transfer [ID ADDR] | addvoter ID ADDR [PREV] | addnonvoter ID ADDR [PREV] | demote ID [PREV] | remove ID [PREV]",
			"isolate on|off | block ADDR | unblock ADDR | drop | wait leader|applied N [SECONDS] | stop", "."}, "\n")
	case "apply", "applyhex", "applyext":
		l := raft.Log{Data: []byte(arg)}
		if w[0] != "apply" {
			if len(w) < 2 {
				return "err usage"
			}
			b, err := hex.DecodeString(w[1])
			if err != nil {
				return res(err)
			}
			l.Data = b
			if w[0] == "applyext" && len(w) > 2 {
				if l.Extensions, err = hex.DecodeString(w[2]); err != nil {
					return res(err)
				}
			}
		}
		f := n.r.ApplyLog(l, opTimeout)
		if err := f.Error(); err != nil {
			return res(err)
		}
		return fmt.Sprintf("ok index=%d response=%v", f.Index(), f.Response())
	case "bench":
		seconds, _ := strconv.ParseFloat(append(w, "")[1], 64)
		return n.bench(seconds, int(num(2)), int(num(3)))
	case "get":
		n.fsm.mu.Lock()
		v, ok := n.fsm.kv[arg]
		n.fsm.mu.Unlock()
		if !ok {
			return "err not found"
		}
		return "ok " + v
	case "sum":
		c, h, k := n.fsm.summary()
		return fmt.Sprintf("ok count=%d chain=%s keys=%d applied=%d", c, h, k, n.r.AppliedIndex())
	case "state":
		return fmt.Sprintf("ok %s term=%s leader=%s leader_id=%s last=%d applied=%d commit=%s", n.r.State(), n.r.Stats()["term"], n.r.Leader(), n.leaderID(), n.r.LastIndex(), n.r.AppliedIndex(), n.r.Stats()["commit_index"])
	case "leader":
		return fmt.Sprintf("ok %s %s", n.leaderID(), n.r.Leader())
	case "index":
		return fmt.Sprintf("ok last=%d applied=%d", n.r.LastIndex(), n.r.AppliedIndex())
	case "stats":
		b, _ := json.Marshal(n.r.Stats())
		return "ok " + string(b)
	case "config", "peers":
		f := n.r.GetConfiguration()
		if err := f.Error(); err != nil {
			return res(err)
		}
		o := []string{}
		for _, s := range f.Configuration().Servers {
			o = append(o, fmt.Sprintf("%s=%s/%s", s.ID, s.Address, s.Suffrage))
		}
		return fmt.Sprintf("ok index=%d %s", f.Index(), strings.Join(o, " "))
	case "dump":
		n.fsm.mu.Lock()
		o := []string{}
		for k, v := range n.fsm.kv {
			o = append(o, k+"="+v)
		}
		n.fsm.mu.Unlock()
		sort.Strings(o)
		return strings.Join(append(o, "."), "\n")
	case "log":
		lo, _ := n.logs.FirstIndex()
		hi, _ := n.logs.LastIndex()
		if v := num(1); v > lo {
			lo = v
		}
		if v := num(2); v > 0 && v < hi {
			hi = v
		}
		o := []string{}
		for i := lo; i <= hi && i > 0; i++ {
			var l raft.Log
			if err := n.logs.GetLog(i, &l); err != nil {
				o = append(o, fmt.Sprintf("%d err %v", i, err))
				continue
			}
			o = append(o, fmt.Sprintf("%d term=%d type=%d data=%s ext=%s", l.Index, l.Term, l.Type, hex.EncodeToString(l.Data), hex.EncodeToString(l.Extensions)))
		}
		return strings.Join(append(o, "."), "\n")
	case "barrier":
		return res(n.r.Barrier(opTimeout).Error())
	case "verify":
		return res(n.r.VerifyLeader().Error())
	case "snapshot":
		return res(n.r.Snapshot().Error())
	case "transfer":
		if len(w) >= 3 {
			return res(n.r.LeadershipTransferToServer(raft.ServerID(w[1]), raft.ServerAddress(w[2])).Error())
		}
		return res(n.r.LeadershipTransfer().Error())
	case "addvoter", "addnonvoter":
		if len(w) < 3 {
			return "err usage"
		}
		if w[0] == "addvoter" {
			return res(n.r.AddVoter(raft.ServerID(w[1]), raft.ServerAddress(w[2]), num(3), opTimeout).Error())
		}
		return res(n.r.AddNonvoter(raft.ServerID(w[1]), raft.ServerAddress(w[2]), num(3), opTimeout).Error())
	case "demote", "remove":
		if len(w) < 2 {
			return "err usage"
		}
		if w[0] == "demote" {
			return res(n.r.DemoteVoter(raft.ServerID(w[1]), num(2), opTimeout).Error())
		}
		return res(n.r.RemoveServer(raft.ServerID(w[1]), num(2), opTimeout).Error())
	case "isolate":
		n.st.cut(arg == "on")
		return "ok"
	case "block", "unblock":
		n.st.mu.Lock()
		n.st.blocked[arg] = w[0] == "block"
		n.st.mu.Unlock()
		if w[0] == "block" {
			n.st.dropAll()
		}
		return "ok"
	case "drop":
		n.st.dropAll()
		return "ok"
	case "wait":
		if len(w) < 2 {
			return "err usage"
		}
		secs, want := 10*time.Second, num(2)
		if len(w) > 3 {
			secs = time.Duration(num(3)) * time.Second
		}
		for end := time.Now().Add(secs); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			if w[1] == "leader" && n.r.Leader() != "" {
				return "ok " + string(n.r.Leader())
			}
			if w[1] == "applied" && n.r.AppliedIndex() >= want {
				return fmt.Sprintf("ok applied=%d", n.r.AppliedIndex())
			}
			if w[1] == "count" {
				if c, _, _ := n.fsm.summary(); c >= want {
					return fmt.Sprintf("ok count=%d", c)
				}
			}
		}
		return "err timeout"
	case "stop":
		go func() { time.Sleep(30 * time.Millisecond); n.stop() }()
		return "ok stopping"
	}
	return "err unknown command"
}

// bench lets conc appliers apply commands of the given size for so many seconds, each the next one when the last is applied.
func (n *node) bench(seconds float64, conc, size int) string {
	if seconds <= 0 || conc < 1 || size < 1 {
		return "err usage: bench SECONDS CONC SIZE"
	}
	payload := []byte(strings.Repeat("x", size))
	lats := make([][]time.Duration, conc)
	var bad int64
	var wg sync.WaitGroup
	t0 := time.Now()
	end := t0.Add(time.Duration(seconds * float64(time.Second)))
	for i := 0; i < conc; i++ {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			for {
				s := time.Now()
				if s.After(end) {
					return
				}
				if n.r.Apply(payload, opTimeout).Error() != nil {
					atomic.AddInt64(&bad, 1)
					return // it does not lead any more
				}
				lats[i] = append(lats[i], time.Since(s))
			}
		}(i)
	}
	wg.Wait()
	el := time.Since(t0)
	var lat []time.Duration
	for _, l := range lats {
		lat = append(lat, l...)
	}
	if len(lat) == 0 {
		return "err no call has succeeded"
	}
	sort.Slice(lat, func(i, j int) bool { return lat[i] < lat[j] })
	p := func(q float64) time.Duration { return lat[int(q*float64(len(lat)-1))] }
	return fmt.Sprintf("ok n=%d conc=%d size=%d errors=%d seconds=%.3f ops=%.0f p50us=%d p99us=%d maxus=%d", len(lat), conc, size, bad, el.Seconds(), float64(len(lat))/el.Seconds(), p(.5).Microseconds(), p(.99).Microseconds(), p(1).Microseconds())
}
