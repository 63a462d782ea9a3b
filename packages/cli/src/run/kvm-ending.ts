// How a run on KVM ended, for the result: the outcome, and a sentence that says as much as KVM lets us know.

import {assertUnreachable} from '@hyperscope/base';
import {CELLS} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';
import type {KvmOutcome, KvmSession} from '@hyperscope/kvm';
import {kvmOutcomeSentence} from '@hyperscope/server';
import {lastInstruction} from '@hyperscope/simulation';
import type {RunResult} from '@hyperscope/simulation';
import {GuestMemory} from '@hyperscope/trace';
import type {Execution} from './execute.js';

export type Ending = Pick<RunResult, 'outcome' | 'debugExit' | 'message'>;

/** Wall time of a run that was given no limit. */
export const DEFAULT_MILLISECONDS = 60_000;
const CR0_PG = 1n << 31n;
const EFER_LME = 1n << 8n;

/** The ending of `session`, whose outcome is `outcome`. */
export function kvmEnding(outcome: KvmOutcome, session: KvmSession, execution: Execution): Ending {
  const message = kvmOutcomeSentence(outcome);
  switch (outcome.kind) {
    case 'debug-exit':
      return {outcome: 'debug-exit', debugExit: outcome.value, message};
    case 'limit':
      return {outcome: 'limit', debugExit: null, message: limitSentence(outcome.limit, execution)};
    case 'triple-fault':
      return tripleFault(message, session, execution);
    case 'error':
    case 'unsupported':
    case 'cancelled':
      return {outcome: 'kvm-failure', debugExit: null, message};
    case 'halted':
    case 'power-off':
      return {outcome: outcome.kind, debugExit: null, message};
    default:
      return assertUnreachable(outcome);
  }
}

function limitSentence(limit: 'milliseconds' | 'exits' | 'steps', execution: Execution): string {
  const {maxInstructions, timeoutMilliseconds} = execution;
  if (limit !== 'milliseconds') return `The limit of ${maxInstructions} ${limit} was reached.`;
  return timeoutMilliseconds === undefined
    ? `The limit of ${DEFAULT_MILLISECONDS / 1000} seconds was reached; --timeout sets another.`
    : `The limit of ${timeoutMilliseconds / 1000} seconds was reached.`;
}

/** KVM tells no chain of faults, but where RIP was left. */
function tripleFault(message: string, session: KvmSession, {program}: Execution): Ending {
  const cells = new Map<string, bigint | undefined>(CELLS.map((cell, index) => [cell, session.registers[index]]));
  const start = (cell: Cell): bigint => program.loaded.image.registers[cell] ?? 0n;
  // measured: kvm_pvm accepts 32-bit paging in KVM_SET_SREGS, drops CR0.PG, and shuts the guest down before it began.
  const wantsPaging = (start('CR0') & CR0_PG) !== 0n && (start('EFER') & EFER_LME) === 0n;
  if (wantsPaging && ((cells.get('CR0') ?? 0n) & CR0_PG) === 0n && cells.get('RIP') === start('RIP'))
    return {
      outcome: 'kvm-failure',
      debugExit: null,
      message: "This host's KVM has paging in long mode only: it shut the guest down before its first instruction.",
    };
  const memory = new GuestMemory({}, session.banks.find(bank => bank.name === 'memory')?.bytes ?? new Uint8Array());
  const place = lastInstruction(name => cells.get(name), memory);
  return {outcome: 'triple-fault', debugExit: null, message: `${message} RIP was left ${place}.`};
}
