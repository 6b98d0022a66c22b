// grpc-go, the library of Consul, against the service of tests/peer/grpc_echo:
// interop_grpc -address IP:PORT [-ca FILE] [-cases NAMES] prints "ok NAME" for each case, or what was wrong.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"io/ioutil"
	"log"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

const service = "/switchyard.test.v1.Echo/"

// Messages as bytes: the service's own hold one field, the payload.
type raw struct{}

func (raw) Marshal(v interface{}) ([]byte, error) { return *v.(*[]byte), nil }
func (raw) Unmarshal(data []byte, v interface{}) error {
	*v.(*[]byte) = append([]byte(nil), data...)
	return nil
}
func (raw) Name() string { return "proto" }

func payload(size int) []byte {
	head := []byte{0x0a}
	for n := size; ; n >>= 7 {
		if n < 0x80 {
			head = append(head, byte(n))
			break
		}
		head = append(head, byte(n)|0x80)
	}
	return append(head, bytes.Repeat([]byte{7}, size)...)
}

func unary(ctx context.Context, conn *grpc.ClientConn, size int) error {
	asked, answered := payload(size), []byte{}
	if err := conn.Invoke(ctx, service+"Unary", &asked, &answered); err != nil {
		return err
	}
	if !bytes.Equal(asked, answered) {
		return fmt.Errorf("%d bytes came back as %d others", len(asked), len(answered))
	}
	return nil
}

func manyUnary(ctx context.Context, conn *grpc.ClientConn) error {
	errs := make(chan error, 32)
	var all sync.WaitGroup
	for i := 0; i < cap(errs); i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for _, size := range []int{1, 100, 16384, 65536} {
				if err := unary(ctx, conn, size); err != nil {
					errs <- err
					return
				}
			}
		}()
	}
	all.Wait()
	close(errs)
	if err := <-errs; err != nil {
		return err
	}
	// By itself: grpc-go 1.33 cuts large answers that come at once, whoever sends them.
	return unary(ctx, conn, 1000000)
}

func chat(ctx context.Context, conn *grpc.ClientConn) (grpc.ClientStream, error) {
	return conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, service+"Chat")
}

func turn(stream grpc.ClientStream, size int) error {
	asked, answered := payload(size), []byte{}
	if err := stream.SendMsg(&asked); err != nil {
		return err
	}
	if err := stream.RecvMsg(&answered); err != nil {
		return err
	}
	if !bytes.Equal(asked, answered) {
		return fmt.Errorf("%d bytes came back as %d others", len(asked), len(answered))
	}
	return nil
}

func bidirectional(ctx context.Context, conn *grpc.ClientConn) error {
	stream, err := chat(ctx, conn)
	for i := 1; i <= 1000 && err == nil; i++ {
		err = turn(stream, i)
	}
	if err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	var none []byte
	if err := stream.RecvMsg(&none); err != io.EOF {
		return fmt.Errorf("behind the last message: %v", err)
	}
	return nil
}

func cancellation(ctx context.Context, conn *grpc.ClientConn) error {
	for _, code := range []codes.Code{codes.Canceled, codes.DeadlineExceeded} {
		limited, cancel := context.WithCancel(ctx)
		if code == codes.DeadlineExceeded {
			limited, cancel = context.WithTimeout(ctx, 300*time.Millisecond)
		}
		stream, err := chat(limited, conn)
		if err == nil {
			err = turn(stream, 1)
		}
		if err != nil {
			return err
		}
		if code == codes.Canceled {
			cancel()
		}
		var none []byte
		if err := stream.RecvMsg(&none); status.Code(err) != code {
			return fmt.Errorf("%v, not %v", err, code)
		}
		cancel()
	}
	return unary(ctx, conn, 1)
}

// What Consul's clients do: a ping every 30 s, on an open stream.
func pings(ctx context.Context, conn *grpc.ClientConn) error {
	stream, err := chat(ctx, conn)
	if err == nil {
		err = turn(stream, 1)
	}
	if err != nil {
		return err
	}
	time.Sleep(150 * time.Second)
	return turn(stream, 1)
}

func main() {
	log.SetFlags(0)
	address := flag.String("address", "", "ip:port")
	ca := flag.String("ca", "", "PEM file; TLS when it is given")
	wanted := flag.String("cases", "unary,bidirectional,cancellation", "which of unary, bidirectional, cancellation and keepalive (150 s)")
	flag.Parse()

	security := grpc.WithInsecure()
	if *ca != "" {
		pem, err := ioutil.ReadFile(*ca)
		if err != nil {
			log.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		security = grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: roots, ServerName: "localhost"}))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	conn, err := grpc.DialContext(ctx, *address, security, grpc.WithBlock(),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{}), grpc.MaxCallRecvMsgSize(64<<20), grpc.MaxCallSendMsgSize(64<<20)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}))
	if err != nil {
		log.Fatal(err)
	}
	cases := map[string]func(context.Context, *grpc.ClientConn) error{
		"unary": manyUnary, "bidirectional": bidirectional, "cancellation": cancellation, "keepalive": pings,
	}
	for _, name := range strings.Split(*wanted, ",") {
		if err := cases[name](ctx, conn); err != nil {
			log.Fatalf("%s: %v", name, err)
		}
		fmt.Println("ok", name)
	}
}
