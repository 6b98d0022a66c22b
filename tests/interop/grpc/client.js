// @grpc/grpc-js against the service of tests/peer/grpc_echo: client.js PROTO ADDRESS [CA] runs the cases that the variable
// CASES names and prints "ok NAME" for each, or what was wrong with the first that fails. Limits of the server come as
// JSON in the variable LIMITS: {"receive": bytes}.
'use strict';

const assert = require('assert');
const fs = require('fs');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const [, , proto, address, ca] = process.argv;
const limits = JSON.parse(process.env.LIMITS);
const Echo = grpc.loadPackageDefinition(loader.loadSync(proto, { defaults: true, longs: Number })).switchyard.test.v1.Echo;
const UNLIMITED = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };
const STEP = 60_000; // ms that any case may take

function connect(options = {}) {
  const credentials = ca ? grpc.credentials.createSsl(fs.readFileSync(ca)) : grpc.credentials.createInsecure();
  return new Echo(address.replace('127.0.0.1', 'localhost'), credentials, { ...UNLIMITED, ...options });
}

function soon() {
  return { deadline: Date.now() + STEP };
}

/// One unary call: {reply, header, trailer}; rejects with the status.
function unary(client, method, request, metadata = new grpc.Metadata(), options = soon()) {
  return new Promise((resolve, reject) => {
    const seen = {};
    const call = client[method](request, metadata, options, (error, reply) => {
      // The status event comes behind this one.
      setImmediate(() => (error ? reject(error) : resolve({ ...seen, reply })));
    });
    call.on('metadata', (header) => (seen.header = header));
    call.on('status', (status) => (seen.trailer = status.metadata));
  });
}

async function refused(promise, code) {
  const error = await promise.then(() => assert.fail('answered'), (status) => status);
  assert.strictEqual(error.code, code, error.message);
  return error;
}

/// Waits until the server has `open` chats; it is told of the end of one in its own time.
async function chats(client, open) {
  for (const deadline = Date.now() + STEP; Date.now() < deadline; ) {
    if ((await unary(client, 'Chats', {})).reply.open === open) return;
  }
  assert.fail(`the server has not come to ${open} chats`);
}

const cases = {
  async unary(client) {
    for (const size of [0, 1, 100, 16_384, 65_536, 1_000_000]) {
      const payload = Buffer.alloc(size, size % 251);
      assert.ok((await unary(client, 'Unary', { payload })).reply.payload.equals(payload), `${size} bytes`);
    }
    const many = Array.from({ length: 500 }, (_, number) => Buffer.from(`call ${number}`));
    const replies = await Promise.all(many.map((payload) => unary(client, 'Unary', { payload })));
    many.forEach((payload, number) => assert.ok(replies[number].reply.payload.equals(payload)));
  },

  async serverStream(client) {
    const payload = Buffer.alloc(10_000, 7);
    let got = 0;
    for await (const reply of client.Repeat({ payload, count: 1000 }, soon())) {
      assert.ok(reply.payload.equals(payload));
      ++got;
    }
    assert.strictEqual(got, 1000);
  },

  async clientStream(client) {
    const reply = await new Promise((resolve, reject) => {
      const call = client.Collect(soon(), (error, answer) => (error ? reject(error) : resolve(answer)));
      for (let number = 0; number < 1000; ++number) call.write({ payload: Buffer.from([number % 256]) });
      call.end();
    });
    assert.ok(reply.payload.equals(Buffer.from(Array.from({ length: 1000 }, (_, number) => number % 256))));
  },

  async bidirectional(client) {
    const call = client.Chat(soon());
    const replies = call[Symbol.asyncIterator]();
    for (let number = 0; number < 100; ++number) {
      call.write({ payload: Buffer.from(`${number}`) });
      assert.strictEqual((await replies.next()).value.payload.toString(), `${number}`);
    }
    call.end();
    assert.ok((await replies.next()).done);
  },

  async deadline(client) {
    const call = client.Chat({ deadline: Date.now() + 500 });
    const status = await new Promise((resolve) => call.on('error', resolve).resume());
    assert.strictEqual(status.code, grpc.status.DEADLINE_EXCEEDED);
    await chats(client, 0);
  },

  async cancellation(client) {
    const call = client.Chat(soon());
    call.write({ payload: Buffer.from('hello') });
    assert.strictEqual((await call[Symbol.asyncIterator]().next()).value.payload.toString(), 'hello');
    await chats(client, 1);
    call.on('error', () => {});
    call.cancel();
    await chats(client, 0);
  },

  async metadata(client) {
    const metadata = new grpc.Metadata();
    metadata.set('x-word', 'plain text');
    metadata.add('x-many', 'one');
    metadata.add('x-many', 'two');
    metadata.set('x-raw-bin', Buffer.from([0, 255, 1, 128]));
    const { header, trailer } = await unary(client, 'Mirror', {}, metadata);
    for (const seen of [header, trailer]) {
      assert.deepStrictEqual(seen.get('x-word'), ['plain text']);
      // Repeated values may come apart or joined.
      assert.strictEqual(seen.get('x-many').join(', '), 'one, two');
      assert.deepStrictEqual(seen.get('x-raw-bin'), [Buffer.from([0, 255, 1, 128])]);
    }
    assert.deepStrictEqual(trailer.get('seen-method'), ['/switchyard.test.v1.Echo/Mirror']);
    assert.deepStrictEqual(trailer.get('seen-deadline'), ['yes']);
    assert.deepStrictEqual(trailer.get('seen-tls'), [ca ? 'yes' : 'no']);
  },

  async status(client) {
    const details = Buffer.from([8, 9, 18, 2, 111, 107]);
    const failed = { code: 9, message: 'not yet: größer', details };
    const status = await refused(unary(client, 'Mirror', failed), grpc.status.FAILED_PRECONDITION);
    assert.strictEqual(status.details, 'not yet: größer');
    assert.deepStrictEqual(status.metadata.get('grpc-status-details-bin'), [details]);
    await refused(unary(new Proxied(client, '/switchyard.test.v1.Echo/None'), 'call', {}), grpc.status.UNIMPLEMENTED);
    await refused(unary(new Proxied(client, '/no.such.Service/Unary'), 'call', {}), grpc.status.UNIMPLEMENTED);
  },

  async large(client) {
    for (const size of [8 << 20, 50 << 20]) {
      const payload = Buffer.alloc(Math.min(size, limits.receive) - 64, 3);
      assert.ok((await unary(client, 'Unary', { payload })).reply.payload.equals(payload));
    }
    let received = 0; // what a server sends has no limit
    for await (const { payload } of client.Repeat({ payload: Buffer.alloc(3 << 20), count: 20 }, soon()))
      received += payload.length;
    assert.strictEqual(received, 60 << 20);
  },

  async tooLarge(client) {
    const payload = Buffer.alloc(limits.receive + 1);
    await refused(unary(client, 'Unary', { payload }), grpc.status.RESOURCE_EXHAUSTED);
    await unary(client, 'Unary', { payload: Buffer.from('and on') });
  },

  async compressed() {
    for (const algorithm of [1, 2]) { // deflate, gzip
      const client = connect({ 'grpc.default_compression_algorithm': algorithm });
      const payload = Buffer.alloc(1 << 20, 5);
      assert.ok((await unary(client, 'Unary', { payload })).reply.payload.equals(payload));
      client.close();
    }
  },

  async keepalive() {
    const client = connect({ 'grpc.keepalive_time_ms': 30_000, 'grpc.keepalive_permit_without_calls': 1 });
    const call = client.Chat();
    const replies = call[Symbol.asyncIterator]();
    call.write({ payload: Buffer.from('before') });
    await replies.next();
    await new Promise((resolve) => setTimeout(resolve, 150_000));
    call.write({ payload: Buffer.from('after') });
    assert.strictEqual((await replies.next()).value.payload.toString(), 'after');
    call.end();
    client.close();
  },
};

/// A method by its path, whether the schema has it or not.
class Proxied {
  constructor(client, path) {
    this.call = (request, metadata, options, done) =>
      client.makeUnaryRequest(path, () => Buffer.alloc(0), (bytes) => bytes, request, metadata, options, done);
  }
}

async function main() {
  const client = connect();
  for (const name of process.env.CASES.split(',')) {
    await cases[name](client).catch((error) => {
      error.message = `${name}: ${error.message}`;
      throw error;
    });
    console.log(`ok ${name}`);
  }
  client.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
