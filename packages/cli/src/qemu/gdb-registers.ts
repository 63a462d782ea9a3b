// The general registers by GDB's remote protocol: `$g#67` asks, `$` and hexadecimal text answers. Values are little-endian, in
// the order of GDB's amd64 description: sixteen of 64 bits, RIP, then EFLAGS and six selectors of 32 bits.

import {connect} from 'node:net';
import {UserError} from '@hyperscope/base';
import type {Program} from '../run/program.js';

export type RegisterValues = Program['loaded']['image']['registers'];

const WIDE = 'RAX RBX RCX RDX RSI RDI RBP RSP R8 R9 R10 R11 R12 R13 R14 R15 RIP'.split(' ');
const NARROW = ['RFLAGS', 'CS.selector', 'SS.selector', 'DS.selector', 'ES.selector', 'FS.selector', 'GS.selector'];
const PATIENCE = 3000;

/** What a `g` answer says. @throws UserError when it is too short to be one. */
export function parseRegisters(answer: string): RegisterValues {
  const bytes = Buffer.from(answer, 'hex');
  const end = WIDE.length * 8 + NARROW.length * 4;
  if (bytes.length < end) throw new UserError('kvm-failure', 'The GDB stub gave fewer registers than a processor has.');
  return Object.fromEntries([
    ...WIDE.map((name, index) => [name, bytes.readBigUInt64LE(index * 8)] as const),
    ...NARROW.map((name, index) => [name, BigInt(bytes.readUInt32LE(WIDE.length * 8 + index * 4))] as const),
  ]);
}

/** Asks the stub behind the socket at `path`; the machine stops for it. */
export async function readRegisters(path: string): Promise<RegisterValues> {
  const socket = connect(path);
  const failed = new UserError('kvm-failure', 'QEMU’s GDB stub did not answer.');
  const answer = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(failed);
    }, PATIENCE);
    let heard = '';
    socket.on('error', () => {
      reject(failed);
    });
    socket.on('data', data => {
      heard += data.toString('latin1');
      const packet = /\$([0-9a-fx]{200,})#[0-9a-f]{2}/.exec(heard)?.[1];
      if (packet === undefined) return;
      clearTimeout(timer);
      resolve(packet.replaceAll('x', '0'));
    });
    socket.once('connect', () => {
      socket.write('+$g#67');
    });
  }).finally(() => {
    socket.destroy();
  });
  return parseRegisters(answer);
}
