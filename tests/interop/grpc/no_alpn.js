// A TLS client that offers no ALPN name, as Consul's own data-plane library: no_alpn.js HOST PORT CA calls Echo/Unary
// with Node's http2 and prints the payload of the answer.
'use strict';

const assert = require('assert');
const fs = require('fs');
const http2 = require('http2');
const tls = require('tls');

const [, , host, port, ca] = process.argv;
const socket = tls.connect({ host, port, ca: fs.readFileSync(ca), servername: 'localhost' }, () => {
  assert.strictEqual(socket.alpnProtocol, false);
  const session = http2.connect(`https://localhost:${port}`, { createConnection: () => socket });
  const stream = session.request({
    ':method': 'POST',
    ':path': '/switchyard.test.v1.Echo/Unary',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  const text = Buffer.from('without a name');
  const head = Buffer.from([0, 0, 0, 0, text.length + 2, 0x0a, text.length]); // gRPC's prefix, field 1
  const received = [];
  stream.on('data', (chunk) => received.push(chunk));
  stream.on('trailers', (trailers) => assert.strictEqual(trailers['grpc-status'], '0'));
  stream.on('end', () => {
    console.log(Buffer.concat(received).subarray(head.length).toString());
    session.close();
  });
  stream.end(Buffer.concat([head, text]));
});
