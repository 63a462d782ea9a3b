// Elements in the states that their other stories leave out: running, gone wrong, enormous. What is enormous is as large as a run can
// make it, so that whoever looks sees what has to scroll, be cut or be counted.

import type {CodeLine, Hit, MicroStep, SelectionTotals} from '@hyperscope/trace';
import {BreakpointList} from '../breakpoint-list.js';
import {CodeView} from '../code-view.js';
import {CompareTable} from '../compare-table.js';
import {Encoding} from '../encoding.js';
import {LaneExitTable, LineupView} from '../lineup/index.js';
import {MicroOperations} from '../micro-operations.js';
import {PageWalk} from '../page-walk.js';
import {TlbView} from '../panels/index.js';
import {ParadoxChart} from '../paradox-chart.js';
import {PlaySpeedControl} from '../play-speed.js';
import {RegisterFile} from '../register-file.js';
import {RingStage} from '../ring-stage.js';
import {SAMPLE_LANES, SAMPLE_REASONS} from '../samples/sample-lanes.js';
import {SAMPLE_PARADOX} from '../samples/sample-paradox.js';
import {SAMPLE_WALK} from '../samples/sample-walk.js';
import {SampleSession} from '../samples/index.js';
import {SelectionView} from '../selection-totals.js';
import {stagePicture} from '../stage-picture.js';
import {TextScreenView} from '../text-screen.js';
import {Timeline} from '../timeline.js';
import {TimelineMap} from '../timeline-map.js';
import {TraceFinds} from '../trace-finds.js';
import {Transport} from '../transport.js';
import {VmcsView} from '../vmcs.js';
import {Why} from '../why.js';
import {FULL_TLB} from './panel-stories.js';
import {made, type Stories} from './story.js';

const session = new SampleSession();
const moment = session.seek(5);
const WINDOW = session.timeline(0, 12_000, 800);

/** `count` of something, by their numbers. */
const many = <T>(count: number, one: (at: number) => T): readonly T[] =>
  Array.from({length: count}, (_, at) => one(at));

const MANY_LINES: readonly CodeLine[] = many(2000, at => {
  const line = moment.code[at % moment.code.length];
  return {
    address: 0x8000n + BigInt(at),
    bytes: line?.bytes ?? '90',
    text: line?.text ?? 'nop',
    sourceLine: undefined,
    chips: line?.chips ?? [],
  };
});
const MANY_HITS: readonly Hit[] = many(500, at => ({
  index: at * 20_000,
  cycle: at * 90_000,
  who: at % 2 === 0 ? 'guest-kernel' : 'hypervisor',
  kind: 'instruction',
  text: `out dx, al, number ${at}`,
}));
const MICRO: readonly MicroStep[] = many(40, at => ({
  text: `mem64[RSP − ${8 * at}] ← RAX`,
  reads: [{name: 'RAX', value: '0x0123456789abcdef'}],
  writes: [{name: `mem64[0x${(0x9000 - 8 * at).toString(16)}]`, value: '0x0123456789abcdef'}],
}));
const TOTALS: SelectionTotals = {
  fromCycle: 1000,
  toCycle: 3000,
  fromState: 4,
  toState: 9,
  actors: [
    {who: 'guest-kernel', cycles: 500, instructions: 3, otherSteps: 0},
    {who: 'hypervisor', cycles: 1500, instructions: 0, otherSteps: 2},
  ],
  exits: [{reason: 'I/O instruction', count: 2}],
  exceptions: [{name: '#GP', count: 1}],
};
const CHECKS = many(30, at => ({
  text: `the field number ${at} of the guest-state area has a value that the manual allows`,
  holds: at !== 17,
  decided: at === 17,
  cause: at === 17 ? 'a segment was copied from real mode' : undefined,
  source: 'SDM vol. 3C, "Checks on the Guest State Area"',
}));
const REFUSED = {
  title: 'VM entry was refused',
  sentences: ['VMLAUNCH found one of 30 checks broken and did not enter the guest.'],
  checks: CHECKS,
  sources: ['SDM vol. 3C, "VM Entries"'],
  otherwise: 'The guest would have run its first instruction.',
};
/** Every cell written, in colours that can be read on black: the others are the guest's own choice. */
const BRIGHT = [7, 10, 11, 14, 15];
const full = new Uint8Array(4000).map((_, at) =>
  at % 2 === 0 ? 33 + ((at / 2) % 90) : (BRIGHT[Math.floor(at / 160) % BRIGHT.length] ?? 7),
);

export const STATE_STORIES: Stories = {
  'no breakpoints': () => new BreakpointList(),
  'very many breakpoints': () =>
    made(new BreakpointList(), {
      breakpoints: [
        ...many(60, at => ({kind: 'address', address: 0x8000n + BigInt(at)}) as const),
        {kind: 'exit', reason: ''},
        {kind: 'port', port: 0x3f8},
        {kind: 'line', line: 12},
        {kind: 'write', gpa: 0xb8000},
      ],
      reasons: ['CPUID', 'I/O instruction', 'EPT violation'],
    }),
  'very much code': () => made(new CodeView(), {lines: MANY_LINES, current: 0x8400n, who: 'guest-kernel'}),
  'code that the guest has left': () =>
    made(new CodeView(), {lines: moment.code, current: 0x8007n, standing: 'left', who: 'hypervisor'}),
  'a comparison without KVM': () =>
    made(new CompareTable(), {rows: [], summary: 'No /dev/kvm here, and no recording.'}),
  'a very long comparison': () =>
    made(new CompareTable(), {
      rows: many(600, at => ({
        simulated: {index: at * 7, until: at * 7, text: 'KVM_EXIT_IO'},
        real: {text: 'KVM_EXIT_IO'},
        verdict: 'matched' as const,
        why: 'the same port',
      })),
      summary: '600 of 600 match.',
      index: 700,
    }),
  'no bytes of an instruction': () => new Encoding(),
  'the longest instruction': () =>
    made(new Encoding(), {
      parts: [
        ...many(4, () => ({kind: 'prefix', bytes: '66', name: 'prefix', meaning: '16-bit operands'}) as const),
        {kind: 'opcode', bytes: '81', name: 'opcode', meaning: 'ADD'},
        {kind: 'modrm', bytes: '84', name: 'ModR/M', meaning: 'mod 10, reg 000, r/m 100; memory, by the SIB byte'},
        {kind: 'sib', bytes: 'CB', name: 'SIB', meaning: 'scale 11, index 001, base 011'},
        {kind: 'displacement', bytes: '78 56 34 12', name: 'disp32', meaning: '0x12345678'},
        {kind: 'immediate', bytes: 'F0 DE BC 9A', name: 'imm32', meaning: '−0x65432110'},
      ],
    }),
  'why a machine was left': () => made(new LaneExitTable(), {exits: SAMPLE_REASONS}),
  'very many reasons of a machine': () => made(new LaneExitTable(), {exits: many(40, reasonAt)}),
  'more machines than a screen has room for': () =>
    made(new LineupView(), {
      lanes: many(3, copy => SAMPLE_LANES.map(lane => ({...lane, id: `${lane.id}-${copy}`}))).flat(),
      instruction: 30,
      instructions: 10_000_000,
      chosen: 'bare-0',
    }),
  'no micro-operations': () => new MicroOperations(),
  'micro-operations, half way': () =>
    made(new MicroOperations(), {steps: MICRO.slice(0, 5), instruction: 'push rax', at: 2}),
  'very many micro-operations': () => made(new MicroOperations(), {steps: MICRO, instruction: 'pusha', at: 39}),
  'a walk that ends in a violation of EPT': () =>
    made(new PageWalk(), {
      walk: {...SAMPLE_WALK, outcome: 'ept-violation', references: SAMPLE_WALK.references.slice(0, 3)},
    }),
  'the paradox, of very many generations': () => made(new ParadoxChart(), {rows: many(6, () => SAMPLE_PARADOX).flat()}),
  'the speeds of Play': () => new PlaySpeedControl(),
  'the speeds of Play, with exits': () => made(new PlaySpeedControl(), {exits: true}),
  'registers before the first step': () =>
    made(new RegisterFile(), {
      cells: moment.header.cells,
      registers: new BigUint64Array(moment.header.cells.length),
      previous: new BigUint64Array(moment.header.cells.length),
    }),
  'the stage when a VM entry is refused': () =>
    made(new RingStage(), {
      picture: {
        ...stagePicture(moment, 'hardware', []),
        legs: {'vm-exit': 'idle', 'to-user-space': 'idle', 'to-kernel': 'idle', 'vm-entry': 'idle'},
        transition: {
          from: {operation: 'root', ring: 0},
          to: {operation: 'root', ring: 0},
          name: 'VM entry failed',
          arrow: 'VM entry failed',
          reason: 'VM-entry failure: invalid guest state',
          cycles: undefined,
          who: 'hypervisor',
        },
      },
    }),
  'no selection': () => new SelectionView(),
  'a selection': () => made(new SelectionView(), {totals: TOTALS}),
  'a selection of ten million steps': () =>
    made(new SelectionView(), {
      totals: {
        ...TOTALS,
        toCycle: 45_000_000_000,
        toState: 10_000_000,
        exits: many(30, at => ({reason: `I/O instruction ${at}`, count: 1_000_000 - at})),
        exceptions: many(12, at => ({name: `#GP ${at}`, count: 900_000 - at})),
      },
    }),
  'a full text screen': () =>
    made(new TextScreenView(), {screen: {columns: 80, rows: 25, cells: full, cursor: undefined}}),
  'a full TLB': () => made(new TlbView(), {content: FULL_TLB}),
  'an empty timeline': () => new Timeline(),
  'a timeline of a million events': () =>
    made(new Timeline(), {
      window: {
        ...WINDOW,
        toCycle: 45_000_000_000,
        marked: 1_000_000,
        marks: [],
        counts: WINDOW.counts.map((_, at) => (at * 37) % 5000),
      },
      end: 45_000_000_000,
      length: 10_000_000,
      index: 5_000_000,
      playhead: 22_000_000_000,
      describe: 'OUT left the guest',
    }),
  'an empty map': () => new TimelineMap(),
  'a map with its window': () =>
    made(new TimelineMap(), {
      overview: WINDOW,
      lanes: ['guest-user', 'guest-kernel', 'hypervisor', 'vmm'],
      view: {from: 2000, to: 5000},
      end: 12_000,
    }),
  'a search that has not begun': () => new TraceFinds(),
  'a search under way': () =>
    made(new TraceFinds(), {text: 'out', hits: MANY_HITS.slice(0, 3), standing: 'searching, 3 found so far'}),
  'a search that finds nothing': () => made(new TraceFinds(), {text: 'wrmsr', standing: 'nothing found'}),
  'very many finds': () =>
    made(new TraceFinds(), {text: 'out', hits: MANY_HITS, standing: '500 found, the first 500 shown', index: 40_000}),
  'a transport in a history of ten million steps': () =>
    made(new Transport(), {index: 9_999_999, length: 10_000_000, cycle: 45_000_000_000, exits: true}),
  'a VMCS before the first field is written': () =>
    made(new VmcsView(), {rows: moment.vmcs.map(row => ({...row, value: '0x0', changed: false}))}),
  'an explanation with thirty checks': () => made(new Why(), {explanation: REFUSED, who: 'hypervisor'}),
};

/** One of many rows of reasons, all alike but for name and count. */
function reasonAt(at: number): (typeof SAMPLE_REASONS)[number] {
  const [first] = SAMPLE_REASONS;
  if (first === undefined) throw new RangeError('the sample has no reason');
  return {...first, reason: `${first.reason} ${at}`, count: 1_000_000 - at};
}
