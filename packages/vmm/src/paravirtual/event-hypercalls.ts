// The hypercalls of time, events and the domain itself: channels and the virtual interrupts that come by them, the timer, waiting,
// the end, the console. Xen, xen/include/public/event_channel.h, vcpu.h, sched.h.

import {hex} from '@hyperscope/base';
import {answering, argumentsOf, badPointer, failing, finishCall, refused} from './hypercall-answer.js';
import type {Answer} from './hypercall-answer.js';
import {
  CONSOLEIO_WRITE,
  EVENT_CHANNELS,
  EVTCHNOP,
  SCHEDOP,
  SHUTDOWN_REASONS,
  VCPUOP,
  VIRQS,
  XEN_VERSION,
} from './xen-interface.js';
import {hypercallName} from './xen-interface.js';
import {routine} from './xen.js';
import type {Xen, XenRoutine} from './xen.js';
import type {StepResult} from '../host/host-program.js';

const CHANNELS = 'Xen, xen/include/public/event_channel.h';
const VCPU = 'Xen, xen/include/public/vcpu.h';
const SCHED = 'Xen, xen/include/public/sched.h';
const COM1 = 0x3f8;
const MOST_CONSOLE_BYTES = 0x1_0000n;

// ── the way to them ─────────────────────────────────────────────────────────────────────────────────────────────────

/** The routine of each hypercall that is there. */
const HANDLERS: ReadonlyMap<number, string> = new Map(
  [0, 1, 3, 14, 15, 17, 18, 23, 24, 25, 26, 29, 30, 32].map(number => [number, `do_${hypercallName(number) ?? ''}`]),
);

function dispatch(xen: Xen): StepResult {
  const number = Number(BigInt.asUintN(32, xen.regs.get('RAX')));
  xen.vcpu.set('hypercall', number);
  xen.vcpu.set('done', 0);
  const handler = HANDLERS.get(number);
  if (handler !== undefined)
    return {say: `EAX = ${number}: ${hypercallName(number)}; arguments in RDI, RSI, RDX, R10, R8`, go: handler};
  const name = hypercallName(number);
  const whose = name === undefined ? 'Xen knows no such hypercall' : `${name} is not part of this hypervisor`;
  const known = [...HANDLERS.keys()].join(', ');
  const checks = [
    failing('the hypercall is one that is there', [
      ['EAX', String(number)],
      ['there are', known],
    ]),
  ];
  return finishCall(xen, refused([['number', String(number)]], 'ENOSYS', checks, whose));
}

// ── event channels ──────────────────────────────────────────────────────────────────────────────────────────────────

function eventChannelOp(xen: Xen): Answer {
  const [command, structure] = argumentsOf(xen);
  const args = [
    ['cmd', commandName(Number(command), EVTCHNOP, 'EVTCHNOP')],
    ['arg', hex(structure)],
  ] as const;
  const bytes = xen.guest.read(structure, command === BigInt(EVTCHNOP.bind_virq) ? 12 : 4);
  if (bytes === undefined) return refused(args, 'EFAULT', [badPointer('the structure', structure)], 'nothing was done');
  const first = new DataView(bytes.buffer).getUint32(0, true);
  switch (Number(command)) {
    case EVTCHNOP.bind_virq:
      return bindVirq(xen, args, first, structure);
    case EVTCHNOP.close: {
      const virq = xen.vcpu.virqOfPort(first);
      if (virq === undefined) return refused(args, 'EINVAL', [noPort(first)], 'nothing was closed');
      xen.vcpu.bindVirq(virq, 0);
      return {args, checks: [], result: 0n, why: `port ${first} is closed, VIRQ ${virq} is free again`};
    }
    case EVTCHNOP.unmask: {
      if (first >= EVENT_CHANNELS) return refused(args, 'EINVAL', [noPort(first)], 'nothing was unmasked');
      const told = xen.shared.unmask(first);
      return {
        args,
        checks: [],
        result: 0n,
        why: `port ${first} is open; ${told === 'upcall' ? 'an event had come, and is told now' : 'no event had come'}`,
      };
    }
    default:
      return refused(
        args,
        'ENOSYS',
        [failing('the command is one that is there', [['cmd', String(command)]], CHANNELS)],
        'there is no other domain to talk to',
      );
  }
}
const noPort = (port: number): ReturnType<typeof failing> =>
  failing('the port is bound', [['port', String(port)]], CHANNELS);

function bindVirq(xen: Xen, args: Answer['args'], virq: number, structure: bigint): Answer {
  const known = virq < VIRQS;
  if (!known) {
    const check = failing(`the VIRQ is below ${VIRQS}`, [['virq', String(virq)]], CHANNELS);
    return refused(args, 'EINVAL', [check], 'nothing was bound');
  }
  if (xen.vcpu.portOfVirq(virq) !== 0) {
    const check = failing('the VIRQ is bound to no port yet', [['port', String(xen.vcpu.portOfVirq(virq))]], CHANNELS);
    return refused(args, 'EEXIST', [check], 'nothing was bound');
  }
  // Port 0 is no port.
  let port = 1;
  while (xen.vcpu.virqOfPort(port) !== undefined) port++;
  if (xen.guest.writeWord32(structure + 8n, port) === 'EFAULT')
    return refused(args, 'EFAULT', [badPointer('the place for the port', structure + 8n)], 'nothing was bound');
  xen.vcpu.bindVirq(virq, port);
  return {
    args,
    checks: [],
    result: 0n,
    why: `VIRQ ${virq}${virq === 0 ? ', VIRQ_TIMER,' : ''} comes by port ${port} from now on`,
  };
}

// ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────────

function setTimer(xen: Xen): Answer {
  const [deadline] = argumentsOf(xen);
  const args = [['timeout', `${deadline} ns`]] as const;
  xen.setTimer(deadline);
  return {args, checks: [], result: 0n, why: timerWords(xen, deadline)};
}

function timerWords(xen: Xen, deadline: bigint): string {
  if (deadline === 0n) return 'the timer is stopped';
  const left = deadline - xen.systemTime;
  return `VIRQ_TIMER at a system time of ${deadline} ns, ${left > 0n ? `in ${left} ns` : 'which is over: at once'}`;
}

function vcpuOp(xen: Xen): Answer {
  const [command, id, structure] = argumentsOf(xen);
  const args = [
    ['cmd', commandName(Number(command), VCPUOP, 'VCPUOP')],
    ['vcpu', String(id)],
    ['arg', hex(structure)],
  ] as const;
  if (id !== 0n) {
    const check = failing('the virtual processor is there', [['vcpu', String(id)]], VCPU);
    return refused(args, 'ENOENT', [check], 'the domain has one, number 0');
  }
  switch (Number(command)) {
    case VCPUOP.is_up:
      return {args, checks: [], result: 1n, why: 'virtual processor 0 is up'};
    case VCPUOP.stop_singleshot_timer:
      xen.setTimer(0n);
      return {args, checks: [], result: 0n, why: timerWords(xen, 0n)};
    case VCPUOP.set_singleshot_timer: {
      const bytes = xen.guest.read(structure, 12);
      if (bytes === undefined)
        return refused(args, 'EFAULT', [badPointer('the structure', structure)], 'nothing was done');
      const deadline = new DataView(bytes.buffer).getBigUint64(0, true);
      xen.setTimer(deadline);
      return {args, checks: [], result: 0n, why: timerWords(xen, deadline)};
    }
    default:
      return refused(
        args,
        'ENOSYS',
        [failing('the command is one that is there', [['cmd', String(command)]], VCPU)],
        'nothing was done',
      );
  }
}

// ── the domain ──────────────────────────────────────────────────────────────────────────────────────────────────────

function schedOp(xen: Xen): Answer {
  const [command, structure] = argumentsOf(xen);
  const args = [
    ['cmd', commandName(Number(command), SCHEDOP, 'SCHEDOP')],
    ['arg', hex(structure)],
  ] as const;
  switch (Number(command)) {
    case SCHEDOP.yield:
      return {args, checks: [], result: 0n, why: 'nobody else wants the processor'};
    case SCHEDOP.block: {
      xen.shared.setUpcallMask('open');
      if (xen.shared.upcallPending)
        return {
          args,
          checks: [],
          result: 0n,
          why: 'events are open again, and one waits: there is nothing to wait for',
        };
      xen.vcpu.set('blocked', 1);
      return {
        args,
        checks: [],
        result: 0n,
        why: 'events are open again, and the guest sleeps until one comes',
        go: 'idle_loop',
      };
    }
    case SCHEDOP.shutdown:
      return shutDown(xen, args, structure);
    default:
      return refused(
        args,
        'ENOSYS',
        [failing('the command is one that is there', [['cmd', String(command)]], SCHED)],
        'nothing was done',
      );
  }
}

function shutDown(xen: Xen, args: Answer['args'], structure: bigint): Answer {
  const bytes = xen.guest.read(structure, 4);
  if (bytes === undefined) return refused(args, 'EFAULT', [badPointer('the reason', structure)], 'nothing was done');
  const reason = new DataView(bytes.buffer).getUint32(0, true);
  const name = SHUTDOWN_REASONS[reason] ?? String(reason);
  if (name === 'poweroff') xen.finish({kind: 'power-off'});
  else if (name === 'reboot') xen.finish({kind: 'power-off', by: 'reset'});
  else xen.finish({kind: 'error', message: `The guest shut down with SHUTDOWN_${name}.`});
  return {args: [...args, ['reason', `SHUTDOWN_${name}`]], checks: [], result: 0n, why: 'the domain is no more'};
}

/** To Xen's own serial port; Xen lets domains other than 0 do so where it was built for debugging. */
function consoleIo(xen: Xen): Answer {
  const [command, count, buffer] = argumentsOf(xen);
  const args = [
    ['cmd', command === BigInt(CONSOLEIO_WRITE) ? 'CONSOLEIO_write' : String(command)],
    ['count', String(count)],
    ['buffer', hex(buffer)],
  ] as const;
  if (command !== BigInt(CONSOLEIO_WRITE))
    return refused(args, 'ENOSYS', [failing('cmd is CONSOLEIO_write', [['cmd', String(command)]])], 'nothing was done');
  const bytes = count > MOST_CONSOLE_BYTES ? undefined : xen.guest.read(buffer, Number(count));
  if (bytes === undefined) return refused(args, 'EFAULT', [badPointer('the text', buffer)], 'nothing was printed');
  for (const byte of bytes) xen.board.ports.write(COM1, 1, byte);
  const shown = JSON.stringify(new TextDecoder().decode(bytes));
  return {
    args,
    checks: [],
    result: 0n,
    why: `${count} ${count === 1n ? 'byte goes' : 'bytes go'} to Xen’s serial port: ${shown}`,
  };
}

function xenVersion(xen: Xen): Answer {
  const [command] = argumentsOf(xen);
  const args = [['cmd', command === 0n ? 'XENVER_version' : String(command)]] as const;
  if (command !== 0n)
    return refused(args, 'ENOSYS', [failing('cmd is XENVER_version', [['cmd', String(command)]])], 'nothing was done');
  return {args, checks: [], result: XEN_VERSION, why: 'Xen 4.17'};
}

/** 'SCHEDOP_block' */
function commandName(command: number, commands: Readonly<Record<string, number>>, prefix: string): string {
  const found = Object.entries(commands).find(([, number]) => number === command);
  return found === undefined ? String(command) : `${prefix}_${found[0]}`;
}

export const EVENT_ROUTINES: readonly XenRoutine[] = [
  routine('pv_hypercall', dispatch),
  routine('do_event_channel_op', answering(eventChannelOp)),
  routine('do_set_timer_op', answering(setTimer)),
  routine('do_vcpu_op', answering(vcpuOp)),
  routine('do_sched_op', answering(schedOp)),
  routine('do_console_io', answering(consoleIo)),
  routine('do_xen_version', answering(xenVersion)),
];
