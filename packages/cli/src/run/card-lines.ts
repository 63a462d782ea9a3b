// Stealth cards as lines of text: one card with its runs, all of them in a table, and POPF's grid.

import {whoIsTold} from '@hyperscope/simulation';
import type {CardRun, PopfCell, StealthCard} from '@hyperscope/simulation';
import {table, wrap} from '../terminal/table.js';
import type {Terminal} from '../terminal/terminal.js';

/** One card: what the kernel does, what it printed in each run, what it believes, what is done about it. */
export function cardLines(card: StealthCard, runs: readonly CardRun[], terminal: Terminal): readonly string[] {
  const {style} = terminal;
  const lines = (text: string): readonly string[] => wrap(text, Math.min(100, terminal.width), '  ');
  const rows = runs.map(run => [
    `  ${run.setting.title}`,
    run.value ?? 'nothing',
    run.verdict === 'right' ? 'right' : style('red', 'wrong'),
    whoIsTold(run),
  ]);
  return [
    `${style('bold', card.mnemonic)}  ${card.encoding}  ${style('dim', card.group)}`,
    ...lines(card.story),
    '',
    ...[...card.preparation, ...card.sequence].map(line => (line.endsWith(':') ? `    ${line}` : `        ${line}`)),
    '',
    ...table(
      [
        {title: '  run', align: 'left'},
        {title: 'prints', align: 'left'},
        {title: '', align: 'left'},
        {title: 'who is told', align: 'left'},
      ],
      rows,
    ),
    '',
    ...lines(`A kernel outside ring 0 believes ${card.belief}`),
    ...lines(`Binary translation: ${card.binaryTranslation}.`),
    ...lines(`VT-x: ${card.vtx}.`),
    ...lines(`AMD-V: ${card.svm}.`),
    ...lines(card.umip === 'traps' ? 'UMIP: CR4.UMIP makes it trap outside ring 0.' : 'UMIP: makes no difference.'),
    '',
    ...lines(`Run it: hyperscope run ${card.id}. Its kernel: hyperscope card ${card.id.slice(5)} --source`),
  ];
}

/** All cards: what each run printed, and a mark where that was wrong. */
export function listLines(
  found: readonly {readonly card: StealthCard; readonly runs: readonly CardRun[]}[],
  {style, width}: Terminal,
): readonly string[] {
  const settings = found[0]?.runs.map(({setting}) => setting) ?? [];
  const cell = ({value, verdict, traps}: CardRun): string => {
    const number = (value ?? 'nothing').replace(/^0+(?=.)/, '');
    const mark = verdict === 'wrong' ? '✗' : traps > 0 ? 'traps' : '';
    return `${number} ${mark}`.trimEnd();
  };
  return [
    ...table(
      [{title: 'card', align: 'left'}, ...settings.map(({id}) => ({title: id, align: 'left'}) as const)],
      found.map(({card, runs}) => [style('bold', card.mnemonic), ...runs.map(cell)]),
    ),
    '',
    ...wrap(
      '✗: not what it prints in ring 0, and nobody was told. traps: an exception told the monitor. One card: hyperscope card popf',
      Math.min(100, width),
    ),
  ];
}

/** POPF at every CPL and IOPL. */
export function gridLines(grid: readonly PopfCell[], {style}: Terminal): readonly string[] {
  const rows = [0, 1, 2, 3].map(cpl => [
    `  CPL ${cpl}`,
    ...grid.filter(cell => cell.mode === 'protected' && cell.cpl === cpl).map(fates),
  ]);
  const virtual = ['  virtual-8086', ...grid.filter(cell => cell.mode === 'virtual-8086').map(fates)];
  return [
    '',
    style('bold', 'What becomes of IF when POPF is to clear it, and (in brackets) when CLI is'),
    ...table(
      [{title: '', align: 'left'}, ...[0, 1, 2, 3].map(iopl => ({title: `IOPL ${iopl}`, align: 'left'}) as const)],
      [...rows, virtual],
    ),
  ];
}

const fates = ({popf, cli}: PopfCell): string => `${popf} (${cli})`;
