// One guest on many machines as text: a line for each, and for those that are not right, what went wrong first.

import type {Lane, LaneComparison} from '@hyperscope/trace';
import {table, wrap} from '../terminal/table.js';
import type {Terminal} from '../terminal/terminal.js';

/** Reasons for leaving the guest that are named for each machine. */
const MOST_REASONS = 4;
const WORDS = {
  reference: 'the reference',
  right: 'right',
  'state-differs': 'the same',
  wrong: 'WRONG',
} as const satisfies Record<Lane['verdict'], string>;

export function laneLines({guest, lanes}: LaneComparison, terminal: Terminal): readonly string[] {
  const {style} = terminal;
  const width = Math.min(110, terminal.width);
  const columns = [
    {title: 'machine', align: 'left'},
    {title: 'output', align: 'left'},
    {title: 'exits', align: 'right'},
    {title: 'cycles', align: 'right'},
    {title: 'instructions', align: 'right'},
    {title: 'first wrong step', align: 'left'},
  ] as const;
  const rows = lanes.map(lane => [
    machineName(lane),
    style(COLOURS[lane.verdict], WORDS[lane.verdict]),
    lane.header.technique === 'bare' ? '–' : String(lane.exitCount),
    String(lane.cycles ?? '–'),
    String(lane.instructions ?? '–'),
    wrongText(lane),
  ]);
  return [
    style('bold', guest.title),
    '',
    ...table(columns, rows),
    '',
    ...lanes
      .filter(({verdict}) => verdict === 'wrong' || verdict === 'state-differs')
      .flatMap(lane => [...wrap(`${style('bold', machineName(lane))}: ${whyText(lane)}`, width), '']),
    ...lanes
      .filter(({exits}) => exits.length > 0)
      .flatMap(lane => wrap(`${style('bold', machineName(lane))} left the guest ${reasons(lane)}.`, width)),
    '',
    ...wrap(noteOn(lanes), width).map(line => style('dim', line)),
  ];
}

const COLOURS = {reference: 'dim', right: 'green', 'state-differs': 'yellow', wrong: 'red'} as const;

const machineName = ({header, name}: Lane): string => (header.engine === 'kvm' ? name : header.technique);

/** The instruction and the first thing that differs after it. */
function wrongText({wrongStep, verdict}: Lane): string {
  if (verdict === 'reference' || verdict === 'right') return '';
  if (wrongStep === undefined) return 'see below';
  return `${wrongStep.instruction} at 0x${wrongStep.rip.toString(16)}`;
}

const whyText = ({wrongStep, sentence}: Lane): string =>
  wrongStep === undefined ? sentence : wrongStep.sentences.join(' ');

function reasons({exits}: Lane): string {
  const named = exits.slice(0, MOST_REASONS).map(({reason, count}) => `${count} × ${reason}`);
  const rest = exits.slice(MOST_REASONS).reduce((sum, {count}) => sum + count, 0);
  return [...named, ...(rest > 0 ? [`${rest} × for other reasons`] : [])].join(', ');
}

function noteOn(lanes: readonly Lane[]): string {
  const models = [
    ...new Set(lanes.flatMap(({header}) => (header.machine === undefined ? [] : [header.machine.costModel]))),
  ];
  const cycles =
    models.length > 1
      ? `Cycles are those of ${models.join(' and ')}, each machine on the processor that it needs: not to be compared with each other (--cost-model gives all the same).`
      : `Cycles of ${models[0] ?? 'no model'}.`;
  return `${cycles} An instruction that repeats itself counts once. Right: prints and ends as the first, and every difference of its registers and memory is one of time, CPUID or undefined flags. Two machines alone are compared in full.`;
}
