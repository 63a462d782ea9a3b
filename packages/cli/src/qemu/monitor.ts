// QEMU's monitor protocol over a socket: a line of JSON asks, a line of JSON answers, events come in between.
// https://www.qemu.org/docs/master/interop/qmp-spec.html

import {connect} from 'node:net';
import type {Socket} from 'node:net';
import {createInterface} from 'node:readline';
import {UserError} from '@hyperscope/base';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** Milliseconds for an answer. */
const PATIENCE = 5000;

export class Monitor {
  readonly #socket: Socket;
  readonly #waiting: {readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void}[] = [];
  #isLost = false;
  /** Events since the start: name and data. */
  readonly events: {readonly name: string; readonly data: unknown}[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    const lost = (): void => {
      this.#isLost = true;
      for (const {reject} of this.#waiting.splice(0)) reject(gone());
    };
    socket.on('close', lost);
    socket.on('error', lost);
    // A reader of lines passes its input's errors on.
    createInterface({input: socket})
      .on('line', line => {
        this.#hear(JSON.parse(line));
      })
      .on('error', lost);
  }

  /** Connects to the socket at `path`, which QEMU makes when it starts. */
  static async open(path: string): Promise<Monitor> {
    const socket = connect(path);
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    const monitor = new Monitor(socket);
    await monitor.ask('qmp_capabilities');
    return monitor;
  }

  /** Executes a command and gives what it returns. @throws UserError with QEMU's own words. */
  ask(execute: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    if (this.#isLost) return Promise.reject(gone());
    return new Promise((resolve, reject) => {
      // A late answer still finds its place in the line: what it resolves is settled already.
      const timer = setTimeout(() => {
        reject(new UserError('kvm-failure', `QEMU did not answer ${execute}.`));
      }, PATIENCE);
      timer.unref();
      this.#waiting.push({
        resolve: value => {
          clearTimeout(timer);
          resolve(value);
        },
        reject: error => {
          clearTimeout(timer);
          reject(error);
        },
      });
      this.#socket.write(`${JSON.stringify({execute, arguments: args})}\n`);
    });
  }

  /** A command of the monitor for people; its text. */
  async askAsPerson(line: string): Promise<string> {
    return String(await this.ask('human-monitor-command', {'command-line': line}));
  }

  close(): void {
    this.#socket.destroy();
  }

  #hear(message: unknown): void {
    if (!isObject(message)) return;
    if (typeof message['event'] === 'string') this.events.push({name: message['event'], data: message['data']});
    if (!('return' in message) && !('error' in message)) return;
    const waiting = this.#waiting.shift();
    if ('return' in message) waiting?.resolve(message['return']);
    else waiting?.reject(new UserError('kvm-failure', `QEMU refused: ${JSON.stringify(message['error'])}.`));
  }
}

const gone = (): UserError => new UserError('kvm-failure', 'QEMU went away.');
