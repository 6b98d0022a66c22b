// The same as ../grpc_load/main.cpp with @grpc/grpc-js: load.js PROTO ADDRESS IN_FLIGHT STREAM_MS.
'use strict';

const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const readline = require('readline');

const [, , proto, address, inFlight, streamTime] = process.argv;
const Echo = grpc.loadPackageDefinition(loader.loadSync(proto)).switchyard.test.v1.Echo;
const LIMIT = 30_000; // ms, of one call
const BETWEEN_WORDS = 20; // ms
const ERRORS_MAX = 20;

const client = new Echo(address, grpc.credentials.createInsecure());
let took = [];
let errors = [];
let over = false;

function report() {
  took.sort((a, b) => a - b);
  const at = (share) => (took.length ? took[Math.floor(share * (took.length - 1))] : 0);
  console.log(JSON.stringify({ calls: took.length, errors, p999_ms: at(0.999), worst_ms: at(1) }));
  took = [];
  errors = [];
}

function wrong(text) {
  if (errors.length < ERRORS_MAX) errors.push(text);
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function unary(payload) {
  return new Promise((resolve, reject) => {
    const metadata = new grpc.Metadata({ waitForReady: true });
    client.Unary({ payload }, metadata, { deadline: Date.now() + LIMIT }, (error, reply) => (error ? reject(error) : resolve(reply)));
  });
}

async function place(number) {
  for (let made = 0; !over; ++made) {
    const payload = Buffer.from(`${number}.${made}`);
    const begun = performance.now();
    try {
      if (!(await unary(payload)).payload.equals(payload)) wrong('unary: another answer');
      else took.push(performance.now() - begun);
    } catch (error) {
      wrong(`unary: ${error.message}`);
    }
  }
}

async function chats() {
  while (!over) {
    const end = Date.now() + Number(streamTime);
    const call = client.Chat(new grpc.Metadata({ waitForReady: true }));
    try {
      const replies = call[Symbol.asyncIterator]();
      let ended = false; // by the server, which may: its handler leaves
      for (let said = 1; !ended && Date.now() < end; ++said) {
        call.write({ payload: Buffer.from(`${said}`) });
        const reply = await replies.next();
        ended = reply.done;
        if (!ended && reply.value.payload.toString() !== `${said}`) throw new Error('another answer');
        await pause(BETWEEN_WORDS);
      }
      call.end();
      if (!(await replies.next()).done) throw new Error('more than was said');
    } catch (error) {
      wrong(`chat: ${error.message}`);
    }
  }
}

const running = [chats(), ...Array.from({ length: Number(inFlight) }, (_, number) => place(number))];
readline
  .createInterface({ input: process.stdin })
  .on('line', report)
  .on('close', async () => {
    over = true;
    await Promise.all(running);
    report();
    client.close();
  });
