// `hyperscope serve`: the lab in a browser, until Ctrl-C.

import {once} from 'node:events';
import {fileURLToPath} from 'node:url';
import {UserError} from '@hyperscope/base';
import {DEFAULT_LIMITS, kvmOfThisMachine, serve, withLimits} from '@hyperscope/server';
import type {RunningServer, ServeOptions} from '@hyperscope/server';
import {EXIT} from '../exit-status.js';
import {parseNumber} from '../run/numbers.js';
import {parseArguments, usage} from '../terminal/arguments.js';
import {readVersion} from '../version.js';
import type {Command, CommandContext} from './command.js';

const DEFAULT_PORT = 8086;
/** Without --port the next free one of so many is taken. */
const PORTS_TRIED = 10;

const OPTIONS = {
  port: {
    value: 'PORT',
    short: 'p',
    help: `Where to listen; 0 lets the system choose. Default: ${DEFAULT_PORT}, or the next that is free.`,
  },
  host: {value: 'ADDRESS', help: 'Address to listen on. Default: 127.0.0.1, which only this machine can reach.'},
  token: {
    value: 'TEXT|none',
    help: 'What a client must show where other machines can reach the server. Default: a fresh one, printed with the address; none asks for nothing.',
  },
  limit: {
    value: 'NAME=N',
    repeatable: 'repeatable',
    help: `Change what clients may ask for: ${Object.entries(DEFAULT_LIMITS)
      .map(([name, value]) => `${name} (${value})`)
      .join(', ')}.`,
  },
  'behind-proxy': {
    value: undefined,
    help: 'A proxy is in front: tell clients apart by what it says (X-Forwarded-For).',
  },
  log: {
    value: 'LEVEL',
    help: 'error (default), or info: a line of JSON for each request and each run, on standard error.',
  },
} as const;

export const SERVE: Command = {
  name: 'serve',
  summary: "serve the lab, with this machine's KVM behind it",
  usage: 'hyperscope serve [--port PORT] [--host ADDRESS] [--token TEXT|none] [--limit NAME=N]…',
  description: [
    'Serves the page and runs guests on real KVM for it, one at a time, each in a process of its own with limits on ' +
      'time, memory and exits. Without KVM the page shows recordings. Ctrl-C ends it.',
  ],
  options: OPTIONS,
  examples: [
    {line: 'hyperscope serve', what: 'Then open the address that it prints.'},
    {
      line: 'hyperscope serve --host 0.0.0.0',
      what: 'For a lecture room: give out the address that it prints, which carries a token.',
    },
  ],
  run: runServe,
};

async function runServe(args: readonly string[], {terminal, interrupted}: CommandContext): Promise<number> {
  const given = parseArguments(OPTIONS, args);
  if (given.positionals.length > 0)
    throw usage(`What is ${given.positionals.join(' ')}? Guests are chosen on the page.`);
  const kvm = kvmOfThisMachine();
  const options = {
    host: given.value('host') ?? '127.0.0.1',
    pageFolder: fileURLToPath(new URL('../../../visualiser/dist', import.meta.url)),
    version: readVersion(),
    kvm,
    limits: withLimits(given.values('limit')),
    token: tokenOption(given.value('token')),
    log: logOption(given.value('log')),
    proxy: given.has('behind-proxy') ? 'in-front' : 'none',
  } as const;
  const port = given.value('port');
  const server =
    port === undefined
      ? await serveOnFreePort(options)
      : await serve({...options, port: parseNumber(port, '--port', 0, 0xffff)});
  terminal.line(`The lab is at ${terminal.style('bold', server.url)}`);
  const answer = kvm.answer();
  terminal.line(
    answer.available
      ? `Real KVM: ${answer.fingerprint.flavour} on Linux ${answer.fingerprint.kernel}`
      : `Real KVM: not here. ${answer.message} The lab shows recordings.`,
  );
  if (server.warning !== undefined) terminal.note(terminal.noteStyle('yellow', server.warning));
  terminal.line('Ctrl-C ends it.');
  await once(interrupted(), 'abort');
  await server.close();
  return EXIT.ok;
}

/** @throws UserError for a token that would not survive in an address, or that anybody guesses. */
function tokenOption(text: string | undefined): ServeOptions['token'] {
  if (text === undefined) return 'needed';
  if (text === 'none') return 'none';
  if (!/^[\w-]{8,128}$/.test(text))
    throw usage('A token has 8 to 128 letters, digits, - or _; or write --token none to ask for nothing.');
  return {secret: text};
}

function logOption(text: string | undefined): ServeOptions['log'] {
  if (text === undefined || text === 'error') return 'error';
  if (text === 'info') return 'info';
  throw usage(`--log is error or info, not ${text}.`);
}

async function serveOnFreePort(options: Omit<Parameters<typeof serve>[0], 'port'>): Promise<RunningServer> {
  for (let port = DEFAULT_PORT; port < DEFAULT_PORT + PORTS_TRIED - 1; port++) {
    try {
      return await serve({...options, port});
    } catch (error) {
      if (!(error instanceof UserError && error.code === 'port-in-use')) throw error;
    }
  }
  return serve({...options, port: DEFAULT_PORT + PORTS_TRIED - 1});
}
