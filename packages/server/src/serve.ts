// Listens: on this machine only unless told otherwise, until it is asked to stop.

import {hostname} from 'node:os';
import {isIP} from 'node:net';
import {UserError} from '@hyperscope/base';
import {newToken} from './access-token.js';
import {createApp} from './app.js';
import type {AppOptions} from './app.js';

export interface ServeOptions extends Omit<AppOptions, 'names' | 'token'> {
  /** 'needed' makes one up where other machines can reach the server; 'none' never asks. */
  readonly token: 'needed' | 'none' | {readonly secret: string};
  /** Address or name to listen on. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

export interface RunningServer {
  /** Where to point a browser, with the token that it needs. */
  readonly url: string;
  /** A warning worth printing, when the server can be reached from other machines. */
  readonly warning: string | undefined;
  /** Answers what is being asked, then stops. */
  close(): Promise<void>;
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');

/** Starts the server. @throws UserError 'port-in-use' or 'cannot-listen'. */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const names = [options.host, hostname().toLowerCase()];
  const token = tokenFor(options);
  const app = await createApp({...options, names, token});
  try {
    await app.listen({host: options.host, port: options.port});
  } catch (error) {
    await app.close();
    throw listenTrouble(error, options);
  }
  const address = app.addresses()[0];
  const port = typeof address === 'object' ? address.port : options.port;
  const everywhere = options.host === '0.0.0.0' || options.host === '::';
  const shown = everywhere ? 'localhost' : isIP(options.host) === 6 ? `[${options.host}]` : options.host;
  return {
    url: `http://${shown}:${port}/${token === undefined ? '' : `?token=${token}`}`,
    warning: warningFor(options, token),
    close: async () => {
      await app.close();
      options.kvm.close?.();
    },
  };
}

function tokenFor({token, host}: ServeOptions): string | undefined {
  if (typeof token === 'object') return token.secret;
  return token === 'none' || isLoopback(host) ? undefined : newToken();
}

function warningFor({host}: ServeOptions, token: string | undefined): string | undefined {
  if (isLoopback(host)) return undefined;
  return token === undefined
    ? "Anybody who can reach this address can run guests on this machine's KVM."
    : "Whoever has the address with its token can run guests on this machine's KVM, within the limits.";
}

function listenTrouble(error: unknown, {host, port}: ServeOptions): UserError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') {
    return new UserError('port-in-use', `Port ${port} is in use: stop what uses it, or choose another with --port.`);
  }
  if (code === 'EACCES') {
    return new UserError(
      'cannot-listen',
      `Port ${port} needs rights that you do not have: choose one above 1023 with --port.`,
    );
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new UserError('cannot-listen', `${host} is no address of this machine: check --host.`);
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new UserError('cannot-listen', `Cannot listen on ${host}:${port}: ${reason}.`);
}
