// `npm run load`: how the server fares when a class, and some who mean harm, come at once. On this machine's loopback only, and
// bounded in time. Prints throughput, waiting times, refusals, and what is left over afterwards.
//
//   node packages/tools/load.mjs [--clients 200] [--seconds 20] [--runs 2]

import {spawn} from 'node:child_process';
import {readFileSync, readdirSync} from 'node:fs';
import {connect} from 'node:net';
import {once} from 'node:events';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';

const root = fileURLToPath(new URL('../../', import.meta.url));
const {values} = parseArgs({
  options: {
    clients: {type: 'string', default: '200'},
    seconds: {type: 'string', default: '20'},
    runs: {type: 'string', default: '2'},
  },
});
const clients = Number(values.clients);
const seconds = Number(values.seconds);
if (!(clients >= 1 && clients <= 2000 && seconds >= 1 && seconds <= 120)) {
  console.error('Between 1 and 2000 clients, for 1 to 120 seconds.');
  process.exit(2);
}
const hostile = Math.ceil(clients / 10);
const SPIN = Buffer.from('ebfe', 'hex');
const FLOOD = Buffer.from('e680ebfc', 'hex');
/** Real mode at 8000h: the timer of the kernel's, as fast as it goes. */
const STORM = Buffer.from(
  'fa31c08ed8c706800032808c0e8200b011e620b020e621b004e621b001e621b0fee621b034e643b002e640b000e640fbebfe50b020e62058cf',
  'hex',
);

/** Starts the server; resolves to its process and address. */
async function startServer() {
  const limits = [`runs=${values.runs}`, `queue=${clients}`, 'seconds=2', 'exits=2000', 'connections=5000'];
  const server = spawn(
    process.execPath,
    [
      'packages/cli/bin/hyperscope.mjs',
      'serve',
      '--port',
      '0',
      '--behind-proxy',
      ...limits.flatMap(limit => ['--limit', limit]),
    ],
    {cwd: root, stdio: ['ignore', 'pipe', 'inherit']},
  );
  let printed = '';
  for await (const chunk of server.stdout) {
    printed += chunk;
    const url = /http:\/\/\S+/.exec(printed)?.[0];
    if (url !== undefined && printed.includes('Ctrl-C')) return {server, url: new URL(url)};
  }
  throw new Error(`The server did not start: ${printed}`);
}

const latencies = [];
const refusals = new Map();
const count = code => refusals.set(code, (refusals.get(code) ?? 0) + 1);
const sleep = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

function ask(url, client, init, query = '') {
  return fetch(new URL(`/api/kvm/run${query}`, url), {
    method: 'POST',
    ...init,
    headers: {'x-forwarded-for': `10.0.${client >> 8}.${client & 255}`, ...init.headers},
  });
}

/** Runs a guest again and again, and waits as long as it is told to. */
async function student(url, client, until) {
  const init = {headers: {'content-type': 'application/json'}, body: JSON.stringify({guest: 'hello-kvm'})};
  while (Date.now() < until) {
    const start = performance.now();
    const response = await ask(url, client, {...init, signal: AbortSignal.timeout(60_000)});
    await response.arrayBuffer();
    if (response.ok) latencies.push(performance.now() - start);
    else {
      count(`student ${response.status}`);
      await sleep(1000 * Number(response.headers.get('retry-after') ?? 1));
    }
  }
}

const image = body => ({headers: {'content-type': 'application/octet-stream'}, body});
/** What somebody does who means harm, one after the other. */
const ATTACKS = {
  'a guest that spins': (url, client) => ask(url, client, image(SPIN)),
  'a guest that floods exits': (url, client) => ask(url, client, image(FLOOD)),
  'a guest in a storm of interrupts': (url, client) =>
    ask(url, client, image(STORM), '?at=0x8000&mode=real&memory=1&irqchip=kernel'),
  'a guest that wants all memory': (url, client) => ask(url, client, image(SPIN), '?memory=4096'),
  'an image that is too large': (url, client) => ask(url, client, image(Buffer.alloc(4 << 20))),
  'a body that is no JSON': (url, client) =>
    ask(url, client, {headers: {'content-type': 'application/json'}, body: '{'}),
  'a foreign page': (url, client) =>
    ask(url, client, {
      headers: {origin: 'http://evil.example', 'content-type': 'application/json'},
      body: '{"guest":"popf"}',
    }),
  'a client that leaves': async (url, client) => {
    const leaving = AbortSignal.timeout(50);
    return ask(url, client, {...image(SPIN), signal: leaving});
  },
  'a request that never ends': url =>
    raw(url, 'POST /api/kvm/run HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n'),
  'a socket that talks nonsense': url =>
    raw(
      url,
      'GET /api/session HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n' +
        '\xff\xff\xff\xff\xff\xff\xff\xff',
    ),
};

/** Writes bytes to the server and goes away after half a second. */
async function raw(url, text) {
  const socket = connect(Number(url.port), url.hostname);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(text, 'latin1');
  await sleep(500);
  socket.destroy();
  return undefined;
}

async function attacker(url, client, until) {
  const attacks = Object.entries(ATTACKS);
  for (let turn = client; Date.now() < until; turn++) {
    const [name, attack] = attacks[turn % attacks.length];
    try {
      const response = await attack(url, client);
      await response?.arrayBuffer();
      count(`${name}: ${response === undefined ? 'cut off' : response.status}`);
    } catch {
      count(`${name}: no answer`);
    }
    await sleep(20);
  }
}

/** Processes below `pid`. */
function childrenOf(pid) {
  return readdirSync('/proc').filter(name => {
    try {
      return (
        /^\d+$/.test(name) && readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1].split(' ')[1] === String(pid)
      );
    } catch {
      return false; // it ended while we looked
    }
  }).length;
}
function footprint(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    children: childrenOf(pid),
    files: readdirSync(`/proc/${pid}/fd`).length,
    mebibytes: Math.round(Number(/VmRSS:\s*(\d+)/.exec(status)[1]) / 1024),
  };
}

const percentile = (sorted, fraction) =>
  sorted.length === 0 ? NaN : sorted[Math.min(sorted.length - 1, Math.floor(fraction * sorted.length))];

const {server, url} = await startServer();
try {
  const first = await ask(url, 0, {headers: {'content-type': 'application/json'}, body: '{"guest":"hello-kvm"}'});
  if (!first.ok) throw new Error(`Real KVM is needed for this: ${(await first.json()).message}`);
  await first.arrayBuffer();
  await sleep(15_000);
  const before = footprint(server.pid);
  const start = performance.now();
  const until = Date.now() + seconds * 1000;
  console.log(`${clients} clients, ${hostile} of them hostile, for ${seconds} s; ${values.runs} runs at once.`);
  await Promise.all(
    Array.from({length: clients}, (_, client) =>
      (client < hostile ? attacker : student)(url, client, until).catch(error =>
        count(`client failed: ${error.message}`),
      ),
    ),
  );
  const took = (performance.now() - start) / 1000;
  const health = await fetch(new URL('/healthz', url));
  await sleep(15_000); // connections that are kept, and processes that wait for the next run, are given up in this time
  const after = footprint(server.pid);
  latencies.sort((a, b) => a - b);
  const ms = fraction => `${Math.round(percentile(latencies, fraction))} ms`;
  console.log(
    `\nruns answered   ${latencies.length} in ${took.toFixed(1)} s: ${(latencies.length / took).toFixed(1)} a second`,
  );
  console.log(`waiting and run p50 ${ms(0.5)}, p99 ${ms(0.99)}`);
  for (const [code, times] of [...refusals].sort(([a], [b]) => a.localeCompare(b)))
    console.log(`  ${String(times).padStart(6)}  ${code}`);
  console.log(`\nserver          ${health.status === 200 ? 'answers' : `answers ${health.status}`}`);
  console.log(
    `left over       ${after.children - before.children} processes, ${after.files - before.files} files, ${after.mebibytes - before.mebibytes} MiB (of ${after.mebibytes})`,
  );
  process.exitCode =
    health.status === 200 && after.children <= before.children && after.files <= before.files + 5 ? 0 : 1;
} finally {
  server.kill('SIGINT');
}
