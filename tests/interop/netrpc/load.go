package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"sort"
	"sync"
	"time"

	msgpackrpc "github.com/hashicorp/net-rpc-msgpackrpc"
	"github.com/hashicorp/yamux"
)

// errorsMax bounds what a report holds.
const errorsMax = 20

// account is what has been seen since the last report.
type account struct {
	mutex    sync.Mutex
	took     []time.Duration
	errors   []string
	sessions int
}

func (a *account) call(took time.Duration, err error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if err == nil {
		a.took = append(a.took, took)
	} else if len(a.errors) < errorsMax {
		a.errors = append(a.errors, err.Error())
	}
}

func (a *account) report() {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	sort.Slice(a.took, func(i, j int) bool { return a.took[i] < a.took[j] })
	at := func(share float64) float64 {
		if len(a.took) == 0 {
			return 0
		}
		return a.took[int(share*float64(len(a.took)-1))].Seconds() * 1000
	}
	json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"calls": len(a.took), "errors": append([]string{}, a.errors...), "sessions": a.sessions,
		"p999_ms": at(0.999), "worst_ms": at(1),
	})
	a.took, a.errors, a.sessions = nil, nil, 0
}

// sessions gives streams of one yamux session, and of a new one once the server has said GoAway.
type sessions struct {
	mutex   sync.Mutex
	current *yamux.Session
	account *account
}

func (s *sessions) open() (net.Conn, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.current != nil {
		stream, err := s.current.Open()
		if !errors.Is(err, yamux.ErrRemoteGoAway) {
			return stream, err
		}
		go closeWhenEmpty(s.current)
	}
	connection, err := credentials{}.dial(way{outer: []byte{tagYamux}})
	if err != nil {
		return nil, err
	}
	connection.SetDeadline(time.Time{})
	config := yamux.DefaultConfig()
	config.LogOutput = nil
	config.Logger = log.New(io.Discard, "", 0)
	if s.current, err = yamux.Client(connection, config); err != nil {
		return nil, err
	}
	s.account.sessions++
	return s.current.Open()
}

// closeWhenEmpty ends a session that is left when its calls are answered.
func closeWhenEmpty(session *yamux.Session) {
	for session.NumStreams() > 0 && !session.IsClosed() {
		time.Sleep(time.Millisecond)
	}
	session.Close()
}

// carryLoad keeps inFlight calls under way, each in a stream of its own, until standard input ends. On
// each line of it, and at the end, it prints what it saw since the one before as a line of JSON.
func carryLoad(inFlight int) {
	seen := &account{}
	streams := &sessions{account: seen}
	over := make(chan struct{})
	var running sync.WaitGroup
	for lane := 0; lane < inFlight; lane++ {
		running.Add(1)
		go func() {
			defer running.Done()
			for n := 0; ; n++ {
				select {
				case <-over:
					return
				default:
				}
				begun := time.Now()
				err := callOnce(streams, n)
				seen.call(time.Since(begun), err)
			}
		}()
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		seen.report()
	}
	close(over)
	running.Wait()
	seen.report()
}

func callOnce(streams *sessions, n int) error {
	stream, err := streams.open()
	if err != nil {
		return fmt.Errorf("opening a stream: %w", err)
	}
	cc := msgpackrpc.NewCodecFromHandle(true, true, stream, handle)
	defer cc.Close()
	return call(stream, cc, n, "")
}
