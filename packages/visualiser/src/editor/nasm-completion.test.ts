import {assemblyVocabulary} from '@hyperscope/simulation';
import {expect, test} from 'vitest';
import {completionsAt} from './nasm-completion.js';
import {knownWords} from './nasm-words.js';

const words = knownWords(assemblyVocabulary());

/** What is offered where the bar stands in the text; undefined: nothing. */
function offered(text: string): readonly string[] | undefined {
  const position = text.indexOf('|');
  const found = completionsAt(text.replace('|', ''), position, words);
  return found?.options.map(option => option.label);
}

test('where a statement begins, instructions, directives and macros are offered, and no registers', () => {
  for (const text of ['  m|', 'here: m|', '  rep m|', '  times 4 n|', '|']) {
    const options = offered(`%macro field 2\n%endmacro\n${text}`);
    expect(options, text).toEqual(expect.arrayContaining(['mov', 'movsb', 'vmlaunch', 'align', 'db', 'field']));
    expect(options, text).not.toContain('rax');
  }
});

test('an instruction is offered with what the manual calls it', () => {
  const found = completionsAt('  cpu', 5, words);
  expect(found?.options.find(({label}) => label === 'cpuid')?.detail).toBe('CPU Identification');
});

test('behind an instruction, registers, sizes and the labels of the whole text are offered', () => {
  const options = offered('  mov [mes|\nmessage db 1\nCOM1 equ 2\nagain:\n.inner:\n');
  expect(options).toEqual(expect.arrayContaining(['message', 'COM1', 'again', '.inner', 'rax', 'cr3', 'qword']));
  expect(options).not.toContain('mov');
});

test('what is completed begins with the word, and with the dot of a local label', () => {
  expect(completionsAt('  jmp .in', 9, words)?.from).toBe(6);
  expect(completionsAt('  %de', 5, words)?.from).toBe(2);
});

test.each(['  nop ; mo|', "  db 'mo|", '  mov eax, 0x1|', '  mov eax, 12|'])(
  'nothing is offered in comments, strings and numbers: %s',
  text => expect(offered(text)).toBeUndefined(),
);

test('a quoted semicolon begins no comment', () => expect(offered("  db ';', mes|")).toContain('rax'));
