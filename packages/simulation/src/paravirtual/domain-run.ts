// For tests: small kernels that are ported to Xen, written as text, and what came of each of their hypercalls.

import {assert, gpa} from '@hyperscope/base';
import {assembleInPlace} from '@hyperscope/guests';
import type {MachineEvent} from '@hyperscope/machine';
import {ParavirtualRun} from '@hyperscope/vmm';
import type {HypervisorEvent, RunOutcome} from '@hyperscope/vmm';
import {NO_PORTS} from '../session/session.js';
import {requireGuest} from '../shipped.js';

type AnyEvent = HypervisorEvent | MachineEvent;
const LOAD = 0x7c00;
/** RBX holds the start-info page; hypercalls are made as the hypercall page would make them. */
const PROLOGUE = `
        bits 64
        org 0x7c00
%macro hypercall 1
        mov eax, %1
        syscall
%endmacro
%macro machine 1                ; RAX: the machine address of the page of a label
        mov eax, %1
        shr eax, 12
        shl eax, 3
        add rax, [rbx + 104]
        mov rax, [rax]
        shl rax, 12
%endmacro
start:  mov rbx, rsi
`;
const EPILOGUE = `
        mov edi, 2
        mov esi, poweroff
        hypercall 29
poweroff: dd 0
`;

export interface DomainRun {
  readonly run: ParavirtualRun;
  readonly outcome: RunOutcome | undefined;
  readonly events: readonly AnyEvent[];
  readonly hypercalls: readonly Extract<HypervisorEvent, {kind: 'hypercall'}>[];
}
const MOST_STEPS = 20_000;

/** A domain with this kernel, which is switched off after its last line. */
export function startDomain(code: string, data = ''): ParavirtualRun {
  const assembly = assembleInPlace(requireGuest('mini-os-pv'), PROLOGUE + code + EPILOGUE + data);
  assert(assembly.ok, assembly.ok ? '' : JSON.stringify(assembly.diagnostics));
  return new ParavirtualRun({
    image: {
      startedBy: 'xen',
      memoryBytes: 0x10_0000,
      segments: [{gpa: gpa(LOAD), bytes: assembly.bytes}],
      registers: {RIP: BigInt(LOAD)},
    },
    ports: NO_PORTS,
    profile: undefined,
    costModel: undefined,
  });
}

export function runDomain(code: string, data = ''): DomainRun {
  const run = startDomain(code, data);
  const events: AnyEvent[] = [];
  const push = (event: AnyEvent): void => void events.push(event);
  run.observe({willWrite: () => undefined, event: push, hypervisorEvent: push});
  let outcome: RunOutcome | undefined;
  for (let step = 0; step < MOST_STEPS && outcome === undefined; step++) ({outcome} = run.step());
  return {run, outcome, events, hypercalls: ofKind(events, 'hypercall')};
}

export function ofKind<K extends AnyEvent['kind']>(
  events: readonly AnyEvent[],
  kind: K,
): readonly Extract<AnyEvent, {kind: K}>[] {
  return events.filter((event): event is Extract<AnyEvent, {kind: K}> => event.kind === kind);
}
