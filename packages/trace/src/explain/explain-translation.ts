// What a binary translator did: blocks of the guest's kernel and what runs in their place, jumps that need nobody any more, and
// translations that are good no more.

import {assertUnreachable, hex} from '@hyperscope/base';
import type {HypervisorEvent} from '@hyperscope/vmm';
import type {Explanation} from '../session-view.js';
import {explanation, sentence} from './explanation.js';

type TranslationEvent = Extract<
  HypervisorEvent,
  {kind: 'translation' | 'translation-chained' | 'translation-invalidated' | 'translation-adapted'}
>;
type Translated = Extract<HypervisorEvent, {kind: 'translation'}>;
type Way = Translated['instructions'][number]['translation'];

const SOURCE = 'Adams and Agesen 2006, section 3.2, "Simple binary translation"';

const WAYS: readonly (readonly [Way, string])[] = [
  ['ident', 'copied'],
  ['in-cache', 'done on the virtual CPU'],
  ['callout', 'left to the VMM'],
  ['control', 'made a jump of the cache'],
];

export function translationLabel(event: TranslationEvent): string {
  switch (event.kind) {
    case 'translation':
      return `translated: ${hex(event.rip)}, ${instructions(event)}`;
    case 'translation-chained':
      return `chained to ${hex(event.rip)}`;
    case 'translation-invalidated':
      return event.rip === undefined ? 'translation cache emptied' : `translation of ${hex(event.rip)} thrown away`;
    case 'translation-adapted':
      return event.to === 'callout'
        ? `${hex(event.rip)} is called out from now on`
        : `${hex(event.rip)} is copied again`;
    default:
      return assertUnreachable(event);
  }
}

const instructions = ({instructions: {length}}: Translated): string =>
  length === 1 ? '1 instruction' : `${length} instructions`;

export function explainTranslation(event: TranslationEvent): Explanation {
  switch (event.kind) {
    case 'translation':
      return explanation({
        title: `The VMM translates the block at ${hex(event.rip)}`,
        sentences: blockSentences(event),
        sources: [SOURCE],
      });
    case 'translation-chained':
      return explanation({
        title: `A jump of the translation cache leads to the translation of ${hex(event.rip)}`,
        sentences: [`The stub at ${hex(event.from)} is for the fragment at ${hex(event.to)}.`, sentence(event.why)],
        sources: [SOURCE],
      });
    case 'translation-invalidated':
      return explanation({
        title:
          event.rip === undefined
            ? 'The translation cache is emptied'
            : `The translation of ${hex(event.rip)} is thrown away`,
        sentences: [sentence(event.why), 'What is executed of it again is translated again.'],
        sources: [SOURCE],
      });
    case 'translation-adapted':
      return explanation({
        title:
          event.to === 'callout'
            ? `The instruction at linear ${hex(event.rip)} is called out from now on`
            : `The instruction at linear ${hex(event.rip)} is copied again`,
        sentences: [
          sentence(event.why),
          'Innocent until proven guilty: what writes to page tables cannot be told from any other store before it has done so.',
        ],
        sources: ['Adams and Agesen 2006, section 3.3, "Adaptive binary translation"'],
      });
    default:
      return assertUnreachable(event);
  }
}

function blockSentences(event: Translated): readonly string[] {
  const counted = WAYS.flatMap(([way, words]) => {
    const count = event.instructions.filter(({translation}) => translation === way).length;
    return count === 0 ? [] : [`${count} ${words}`];
  });
  return [
    `${instructions(event)} in ${event.source.length} bytes: ${counted.join(', ')}. In the cache, at ${hex(event.at)}, they are ${event.translated.length} bytes.`,
    ...event.instructions
      .filter(({translation}) => translation !== 'ident')
      .map(({rip, text, why}) => `${hex(rip)} ${text}: ${why}.`),
  ];
}
