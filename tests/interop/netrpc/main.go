// Calls Status.Ping through every way into a server port, with the libraries that Consul itself uses
// (hashicorp/yamux, net-rpc-msgpackrpc, crypto/tls), and checks every answer.
//
// One line a leg on standard output; exit status 1 if anything was not as it should be. With -load see load.go.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/rpc"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-msgpack/codec"
	msgpackrpc "github.com/hashicorp/net-rpc-msgpackrpc"
	"github.com/hashicorp/yamux"
)

const (
	tagRPC      = 0
	tagTLS      = 3
	tagYamux    = 4
	tagInsecure = 7

	// limit bounds every wait of one call, dialling included.
	limit = 30 * time.Second
)

var (
	address     = flag.String("address", "", "ip:port of the server")
	calls       = flag.Int("calls", 10000, "calls a leg")
	ca          = flag.String("ca", "", "certificate of the authority, PEM")
	certificate = flag.String("cert", "", "certificate of the client, PEM")
	key         = flag.String("key", "", "key of the client, PEM")
	inFlight    = flag.Int("load", 0, "keep this many calls under way over tag 4 until standard input ends, instead")
	serverName  = flag.String("server-name", "server.dc1.consul", "name the server's certificate must have")
)

// way is how a client comes to a conversation.
type way struct {
	name  string
	outer []byte // tags before TLS, or the only ones
	alpn  string // native TLS with this name, no tags
	inner []byte // tags inside TLS
	tls   bool
	id    bool // show a client certificate
	yamux bool
	lanes int // conversations at a time: connections, or streams of one session
	once  bool
	// answer is the error text every call must get, empty for success. The server hangs up after it.
	answer string
}

var ways = []way{
	{name: "tag 0", outer: []byte{tagRPC}, lanes: 4},
	{name: "tag 4, 16 streams", outer: []byte{tagYamux}, yamux: true, lanes: 16},
	{name: "tag 3, inner 0", outer: []byte{tagTLS}, tls: true, id: true, inner: []byte{tagRPC}, lanes: 4},
	{name: "tag 3, inner 4, 16 streams", outer: []byte{tagTLS}, tls: true, id: true, inner: []byte{tagYamux}, yamux: true, lanes: 16},
	{name: "consul/rpc-single", tls: true, id: true, alpn: "consul/rpc-single", lanes: 4},
	{name: "consul/rpc-multi, 16 streams", tls: true, id: true, alpn: "consul/rpc-multi", yamux: true, lanes: 16},
	{name: "tag 7", outer: []byte{tagInsecure}, tls: true, lanes: 4, once: true, answer: "rpc: can't find service Status.Ping"},
}

// The handle Consul uses for its RPC port.
var handle = &codec.MsgpackHandle{RawToString: true}

// sequence is shared by all conversations, as in Consul: rising on each of them, with gaps.
var sequence uint64

// argument stands for the requests of real agents, whose fields Status.Ping ignores.
type argument struct {
	Datacenter string
	Filter     string
	Tags       []string
	Meta       map[string]string
	Wait       time.Duration
}

// body is what the call number n sends: mostly nothing, sometimes a structure, now and then more than a
// yamux window of 256 KiB.
func body(n int) interface{} {
	switch {
	case n%1000 == 999:
		return argument{Datacenter: "dc1", Filter: strings.Repeat("x", 300<<10)}
	case n%10 == 9:
		return argument{Datacenter: "dc1", Filter: strings.Repeat("y", n%5000), Tags: []string{"a", "b"},
			Meta: map[string]string{"k": "v"}, Wait: -time.Duration(n)}
	default:
		return struct{}{}
	}
}

// call makes one call and checks each part of the answer.
func call(conversation net.Conn, cc rpc.ClientCodec, n int, answer string) error {
	conversation.SetDeadline(time.Now().Add(limit))
	request := rpc.Request{ServiceMethod: "Status.Ping", Seq: atomic.AddUint64(&sequence, 1)}
	if n%100 == 0 {
		request.Seq |= 1 << 63 // any number is the client's to choose
	}
	if err := cc.WriteRequest(&request, body(n)); err != nil {
		return fmt.Errorf("writing the request: %w", err)
	}
	var response rpc.Response
	if err := cc.ReadResponseHeader(&response); err != nil {
		return fmt.Errorf("reading the header: %w", err)
	}
	var reply interface{}
	if err := cc.ReadResponseBody(&reply); err != nil {
		return fmt.Errorf("reading the body: %w", err)
	}
	if response.Seq != request.Seq || response.ServiceMethod != request.ServiceMethod || response.Error != answer {
		return fmt.Errorf("asked %+v, answered %+v", request, response)
	}
	if empty, ok := reply.(map[interface{}]interface{}); !ok || len(empty) != 0 {
		return fmt.Errorf("the body is %#v, not an empty map", reply)
	}
	return nil
}

// ended checks that the server ends the conversation, and says nothing more.
func ended(conversation net.Conn) error {
	rest := make([]byte, 1)
	if n, err := conversation.Read(rest); n != 0 || !errors.Is(err, io.EOF) {
		return fmt.Errorf("after the answer came %d bytes and %v, not the end", n, err)
	}
	return nil
}

type credentials struct {
	roots    *x509.CertPool
	identity tls.Certificate
}

func load() (c credentials, err error) {
	pem, err := os.ReadFile(*ca)
	if err != nil {
		return c, err
	}
	c.roots = x509.NewCertPool()
	if !c.roots.AppendCertsFromPEM(pem) {
		return c, fmt.Errorf("no certificate in %s", *ca)
	}
	c.identity, err = tls.LoadX509KeyPair(*certificate, *key)
	return c, err
}

// dial comes as far as w says: the connection is where net/rpc or yamux begins.
func (c credentials) dial(w way) (net.Conn, error) {
	connection, err := net.DialTimeout("tcp", *address, limit)
	if err != nil {
		return nil, err
	}
	connection.SetDeadline(time.Now().Add(limit))
	if _, err := connection.Write(w.outer); err != nil {
		connection.Close()
		return nil, err
	}
	if !w.tls {
		return connection, nil
	}

	config := &tls.Config{RootCAs: c.roots, ServerName: *serverName, MinVersion: tls.VersionTLS12}
	if w.id {
		config.Certificates = []tls.Certificate{c.identity}
	}
	if w.alpn != "" {
		config.NextProtos = []string{w.alpn}
	}
	secured := tls.Client(connection, config)
	if err := secured.Handshake(); err != nil {
		connection.Close()
		return nil, fmt.Errorf("handshake: %w", err)
	}
	if got := secured.ConnectionState().NegotiatedProtocol; got != w.alpn {
		secured.Close()
		return nil, fmt.Errorf("negotiated %q, not %q", got, w.alpn)
	}
	if _, err := secured.Write(w.inner); err != nil {
		secured.Close()
		return nil, err
	}
	return secured, nil
}

// complaints collects what yamux logs: it logs only what goes wrong.
type complaints struct {
	mutex sync.Mutex
	text  strings.Builder
}

func (c *complaints) Write(line []byte) (int, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.text.Write(line)
}

func (c *complaints) err() error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.text.Len() == 0 {
		return nil
	}
	return errors.New(c.text.String())
}

// leg makes the calls of one way, spread over its lanes.
func leg(c credentials, w way) error {
	open := func() (net.Conn, error) { return c.dial(w) }
	var session *yamux.Session
	var said complaints
	if w.yamux {
		connection, err := c.dial(w)
		if err != nil {
			return err
		}
		connection.SetDeadline(time.Time{})
		config := yamux.DefaultConfig()
		config.LogOutput = nil
		config.Logger = log.New(&said, "", 0)
		if session, err = yamux.Client(connection, config); err != nil {
			return err
		}
		defer session.Close()
		open = func() (net.Conn, error) { return session.Open() }
	}

	var next int64 = -1
	failures := make(chan error, w.lanes)
	for lane := 0; lane < w.lanes; lane++ {
		go func() {
			failures <- converse(w, open, func() int { return int(atomic.AddInt64(&next, 1)) })
		}()
	}
	var first error
	for lane := 0; lane < w.lanes; lane++ {
		if err := <-failures; err != nil && first == nil {
			first = err
		}
	}
	if first != nil {
		return first
	}
	if session != nil {
		if err := emptied(session); err != nil {
			return err
		}
	}
	return said.err()
}

// emptied waits until the server has ended its side of every stream too, and checks that the session
// answers pings meanwhile.
func emptied(session *yamux.Session) error {
	for deadline := time.Now().Add(limit); ; {
		if _, err := session.Ping(); err != nil {
			return fmt.Errorf("ping of the session: %w", err)
		}
		if session.NumStreams() == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d streams left after all were closed", session.NumStreams())
		}
	}
}

// converse makes calls, numbered by next, until all are made: in one conversation, or in one each.
func converse(w way, open func() (net.Conn, error), next func() int) error {
	var conversation net.Conn
	var cc rpc.ClientCodec
	for n := next(); n < *calls; n = next() {
		if conversation == nil {
			var err error
			if conversation, err = open(); err != nil {
				return fmt.Errorf("call %d: %w", n, err)
			}
			cc = msgpackrpc.NewCodecFromHandle(true, true, conversation, handle)
		}
		if err := call(conversation, cc, n, w.answer); err != nil {
			cc.Close()
			return fmt.Errorf("call %d: %w", n, err)
		}
		if w.once {
			if err := ended(conversation); err != nil {
				cc.Close()
				return fmt.Errorf("call %d: %w", n, err)
			}
			cc.Close()
			conversation = nil
		}
	}
	if conversation == nil {
		return nil
	}
	return cc.Close()
}

func main() {
	flag.Parse()
	host, _, err := net.SplitHostPort(*address)
	if err != nil || !net.ParseIP(host).IsLoopback() {
		log.Fatalf("-address %q: not a loopback ip:port", *address)
	}
	if *inFlight > 0 {
		carryLoad(*inFlight)
		return
	}
	c, err := load()
	if err != nil {
		log.Fatal(err)
	}

	failed := false
	for _, w := range ways {
		begin := time.Now()
		err := leg(c, w)
		took := time.Since(begin).Seconds()
		if err != nil {
			failed = true
			fmt.Printf("%-29s FAILED after %.1f s: %v\n", w.name, took, err)
			continue
		}
		fmt.Printf("%-29s %d calls answered as they should be, %.1f s, %.0f a second\n", w.name, *calls, took, float64(*calls)/took)
	}
	if failed {
		os.Exit(1)
	}
}
