// Every element of the lab in every state: empty, at work, full, enormous, gone wrong.

import type {Moment, ScreenView} from '@hyperscope/trace';
import {
  CodeView,
  CompareTable,
  Encoding,
  ExitTable,
  RegisterFile,
  RingStage,
  SerialConsole,
  StealthCardView,
  TextScreenView,
  Timeline,
  Transport,
  Why,
  routeMarks,
  stagePicture,
} from '../index.js';
import {PageWalk, ShadowWalk, VmcsView} from '../panels/index.js';
import {LaneExitTable, LineupView} from '../lineup/index.js';
import {SAMPLE_LANES, SAMPLE_REASONS} from '../samples/sample-lanes.js';
import {SAMPLE_CARD, SAMPLE_SHADOW, SAMPLE_SOURCE, SampleSession} from '../samples/index.js';
import {ParadoxChart} from '../paradox-chart.js';
import {SAMPLE_PARADOX} from '../samples/sample-paradox.js';
import {made, type Stories} from './story.js';

const session = new SampleSession();
const momentAt = (index: number): ReturnType<SampleSession['seek']> => session.seek(index);

function stage(index: number): RingStage {
  const marks = routeMarks(session.timeline(0, 13_000, 10).marks);
  return made(new RingStage(), {picture: stagePicture(momentAt(index), 'hardware', marks)});
}

function registers(index: number): RegisterFile {
  const moment = momentAt(index);
  return made(new RegisterFile(), {
    cells: moment.header.cells,
    registers: moment.registers,
    previous: moment.previousRegisters,
  });
}

const VECTOR_ROWS: Moment['vector'] = [
  {name: 'XMM0', value: `0x${'00ff'.repeat(8)}`, changed: true, was: `0x${'0'.repeat(32)}`, meaning: ''},
  {name: 'MXCSR', value: '0x1f80', changed: false, meaning: 'every exception masked; rounds to nearest'},
  {name: 'FTW', value: '0xff', changed: true, was: '0x00', meaning: 'abridged tags: no register is empty'},
];

/** A screen with a word in its first row, in colours. */
function textScreen(word: string, attribute: number): ScreenView {
  const cells = new Uint8Array(4000);
  for (let at = 0; at < word.length; at++) cells.set([word.charCodeAt(at), attribute], 2 * at);
  return {columns: 80, rows: 25, cells, cursor: word.length};
}

const compareRows = [
  {
    simulated: {index: 5, until: 7, text: 'KVM_EXIT_IO'},
    real: {text: 'KVM_EXIT_IO'},
    verdict: 'matched',
    why: 'the same port',
  },
  {simulated: {index: 9, until: 9, text: 'KVM_EXIT_HLT'}, real: undefined, verdict: 'explained', why: 'timing'},
  {simulated: undefined, real: {text: 'KVM_EXIT_IO'}, verdict: 'unexplained', why: 'not known'},
] as const;

/** A program as long as a guest can be, in one line after the other. */
const longConsole = Array.from({length: 5000}, (_, line) => `line ${line} of a guest that prints without end`).join(
  '\n',
);
const manyExits = Array.from({length: 12}, (_, at) =>
  session.exits().map(row => ({...row, reason: `${row.reason} ${at}`})),
).flat();

export const CORE_STORIES: Stories = {
  'an empty text screen': () => new TextScreenView(),
  'a text screen': () => made(new TextScreenView(), {screen: textScreen('Hello', 0x1f)}),
  'an empty stage': () => new RingStage(),
  'the stage at a VM exit': () => stage(5),
  'the stage in QEMU': () => stage(7),
  'the stage in the guest': () => stage(3),
  'the stage on bare metal': () =>
    made(new RingStage(), {picture: stagePicture({...momentAt(3), operation: 'none'}, 'none', [])}),
  'no explanation': () => new Why(),
  'an explanation with checks': () => made(new Why(), {explanation: momentAt(5).why, who: 'hypervisor'}),
  'no code': () => new CodeView(),
  'code with a current line': () =>
    made(new CodeView(), {lines: momentAt(5).code, current: 0x8007n, source: SAMPLE_SOURCE, who: 'guest-kernel'}),
  'no registers': () => new RegisterFile(),
  'registers that changed': () => registers(18),
  'vector registers that changed': () => made(registers(18), {vector: VECTOR_ROWS}),
  'a silent console': () => new SerialConsole(),
  'a console with text': () => made(new SerialConsole(), {text: 'Hello from the guest\n'}),
  'no exits': () => new ExitTable(),
  exits: () => made(new ExitTable(), {rows: session.exits(), index: 5}),
  'no comparison': () => new CompareTable(),
  'a comparison': () => made(new CompareTable(), {rows: compareRows, summary: '1 of 3 matches.', index: 5}),
  'no VMCS': () => new VmcsView(),
  'a VMCS': () => made(new VmcsView(), {rows: momentAt(5).vmcs}),
  'no walk': () => new PageWalk(),
  'a walk of 24 entries': () => made(new PageWalk(), {walk: momentAt(5).walk}),
  'a card whose kernel runs': () => new StealthCardView(),
  'a stealth card with its grid': () => made(new StealthCardView(), {card: SAMPLE_CARD}),
  'no workload was run': () => new ParadoxChart(),
  'the paradox of 2005, half run': () => made(new ParadoxChart(), {rows: SAMPLE_PARADOX}),
  'no shadow tables': () => new ShadowWalk(),
  'shadow tables': () => made(new ShadowWalk(), {shadow: SAMPLE_SHADOW}),
  'a transport at the start': () => made(new Transport(), {length: 20, exits: true}),
  'a transport at the end': () =>
    made(new Transport(), {index: 20, length: 20, finished: true, exits: true, playing: true}),
  'a timeline with real marks': () =>
    made(new Timeline(), {
      window: session.timeline(0, 12_000, 800),
      end: 12_000,
      length: 23,
      index: 5,
      playhead: 2482,
      describe: 'OUT left the guest',
      real: [{index: 5, cycle: 1242, label: 'KVM_EXIT_IO', kind: 'matched'}],
    }),
  'an enormous console': () => made(new SerialConsole(), {text: longConsole}),
  'very many exits': () => made(new ExitTable(), {rows: manyExits, index: 5}),
  'the bytes of an instruction': () =>
    made(new Encoding(), {
      parts: [
        {kind: 'prefix', bytes: '48', name: 'REX', meaning: 'W: 64-bit operands'},
        {kind: 'opcode', bytes: '8B', name: 'opcode', meaning: 'MOV'},
        {kind: 'modrm', bytes: '44', name: 'ModR/M', meaning: 'mod 01, reg 000, r/m 100; memory, by the SIB byte'},
        {kind: 'sib', bytes: 'CB', name: 'SIB', meaning: 'scale 11, index 001, base 011; RBX + RCX×8 + displacement'},
        {kind: 'displacement', bytes: '10', name: 'disp8', meaning: '0x10'},
      ],
    }),
  'no machines to compare': () => new LineupView(),
  'machines being compared': () =>
    made(new LineupView(), {lanes: SAMPLE_LANES, instruction: 30, instructions: 100, chosen: 'bare'}),
  'no exits of a machine': () => new LaneExitTable(),
  'why a machine’s guest was left': () => made(new LaneExitTable(), {exits: SAMPLE_REASONS}),
};
