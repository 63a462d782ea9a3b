// A whole run in this thread, which blocks: for command lines, tests, and the child process that serves a server.

import {performance} from 'node:perf_hooks';
import type {Clock} from '@hyperscope/base';
import type {GuestImage, PortOptions} from '@hyperscope/vmm';
import {fingerprint} from './fingerprint.js';
import {KvmSession} from './kvm-session.js';
import type {KvmLimits, KvmOutcome, KvmStep} from './kvm-session.js';
import type {SingleStep, SteppingQuirks} from './single-step.js';

/** Told of each step when the banks hold the state after it. */
export interface KvmObserver {
  /** State 0: before the first step. */
  begin?(session: KvmSession): void;
  /** Before a step: a recorder opens it. */
  beforeStep?(): void;
  willWrite?(bank: string, offset: number, length: number): void;
  /** After a step whose exit reached user space. */
  exit?(step: KvmStep, session: KvmSession): void;
  /** After a single step. */
  step?(step: KvmStep, session: KvmSession): void;
}

export interface RunOnKvmOptions {
  readonly image: GuestImage;
  readonly ports: PortOptions;
  readonly limits: KvmLimits;
  readonly singleStep?: SingleStep;
  /** The host's probes, if they are known; otherwise they are made when single-stepping needs them. */
  readonly quirks?: SteppingQuirks;
  readonly clock?: Clock;
  readonly observer?: KvmObserver;
}

export interface KvmRunResult {
  readonly outcome: KvmOutcome;
  /** KVM_EXIT reasons to user space, counted; single steps are not among them. */
  readonly exits: Readonly<Record<string, number>>;
  readonly steps: number;
  readonly serial: Uint8Array;
  readonly captured: ReadonlyMap<number, Uint8Array>;
  readonly unknownPorts: ReadonlyMap<number, number>;
  /** What the statistics fd says of exits that KVM handled itself. */
  readonly statistics: Readonly<Record<string, number>>;
  /** isa's cells at the end. */
  readonly registers: BigUint64Array;
  readonly seconds: number;
}

/** @throws UserError when there is no KVM, or it refuses the image. What the guest does is in `outcome`. */
export function runOnKvm(options: RunOnKvmOptions): KvmRunResult {
  const clock = options.clock ?? performance;
  const singleStep = options.singleStep ?? 'off';
  const quirks = options.quirks ?? (singleStep === 'off' ? {cpl3_step: undefined} : {cpl3_step: fingerprint().probes['cpl3_step']});
  const session = new KvmSession({...options, singleStep, quirks, clock});
  const started = clock.now();
  try {
    const exits = drive(session, options.observer);
    return {
      outcome: session.outcome ?? {kind: 'cancelled'},
      exits, steps: session.steps,
      serial: Uint8Array.from(session.board.serial),
      captured: new Map(options.ports.capturePorts.map(port => [port, session.board.captured(port)])),
      unknownPorts: session.board.unknownPorts(),
      statistics: session.statistics(),
      registers: session.registers,
      seconds: (clock.now() - started) / 1000,
    };
  } finally {
    session.close();
  }
}

function drive(session: KvmSession, observer: KvmObserver | undefined): Record<string, number> {
  const exits: Record<string, number> = {};
  const listener = observer?.willWrite === undefined ? undefined :
    {willWrite: (bank: string, offset: number, length: number) => observer.willWrite?.(bank, offset, length)};
  observer?.begin?.(session);
  while (session.outcome === undefined) {
    observer?.beforeStep?.();
    const step = session.step(listener);
    if (step.kind === 'kvm-step') {
      observer?.step?.(step, session);
    } else {
      exits[step.exit.reason] = (exits[step.exit.reason] ?? 0) + 1;
      observer?.exit?.(step, session);
    }
  }
  return exits;
}
