// A stealth card for a screen: its runs, its sentences, and POPF's grid, as plain words.

import {STEALTH_CARDS, findGuest} from '@hyperscope/guests';
import {popfGrid} from './popf-grid.js';
import {runCard, whoIsTold} from './run-card.js';

/** What is shown of the card whose guest has this id; undefined where the guest is no card. Runs the kernel in every ring. */
export function cardPicture(id: string) {
  const card = STEALTH_CARDS.find(each => each.id === id);
  const guest = findGuest(id);
  if (card === undefined || guest === undefined) return undefined;
  return {
    mnemonic: card.mnemonic,
    sentences: [card.story, `A kernel outside ring 0 believes ${card.belief}`],
    runs: runCard(card, guest).map(run => ({
      where: run.setting.title,
      value: run.value ?? 'nothing',
      verdict: run.verdict,
      told: whoIsTold(run),
    })),
    answers: [
      ['Binary translation', card.binaryTranslation],
      ['VT-x', card.vtx],
      ['AMD-V', card.svm],
      ['UMIP', card.umip === 'traps' ? 'CR4.UMIP makes it trap outside ring 0' : 'makes no difference'],
    ] as const,
    grid: card.mnemonic === 'POPF' ? gridRows() : [],
  };
}

function gridRows() {
  const cells = popfGrid();
  const row = (name: string, of: typeof cells) => ({name, cells: of.map(({popf, cli}) => ({fate: popf, cli}))});
  return [
    ...[0, 1, 2, 3].map(cpl =>
      row(
        `CPL ${cpl}`,
        cells.filter(cell => cell.mode === 'protected' && cell.cpl === cpl),
      ),
    ),
    row(
      'virtual-8086',
      cells.filter(cell => cell.mode === 'virtual-8086'),
    ),
  ];
}
