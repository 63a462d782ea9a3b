import {describe, expect, test} from 'vitest';
import {BUDGETS, checkSizes, functionsOf, percentile} from './sizes.mjs';

const file = (text, path = 'packages/isa/src/a.ts') => ({path, text});
const lines = count => '// An idea.\n'.repeat(count);
const body = count => `// An idea.\nexport function long() {\n${'  step();\n'.repeat(count - 2)}}\n`;

describe('a planted violation is found', () => {
  test('when a file is too long and does not say why', () => {
    const files = [file(lines(BUDGETS.fileMost + 1)), file(lines(1)), file(lines(1))];
    expect(checkSizes(files, []).violations).toHaveLength(1);
    const excused = [file('// Long because one table is one idea.\n' + lines(BUDGETS.fileMost)), ...files.slice(1)];
    expect(checkSizes(excused, []).violations).toEqual([]);
  });

  test('when the median file is too long', () => {
    const files = [file(lines(BUDGETS.fileMedian + 1)), file(lines(BUDGETS.fileMedian + 1)), file(lines(1))];
    expect(checkSizes(files, []).violations).toEqual([expect.stringContaining('median')]);
  });

  test('when a function is too long, but not in a test', () => {
    const few = '\n' + 'function short() {}\n'.repeat(40);
    expect(checkSizes([file(body(BUDGETS.functionMost + 1) + few)], []).violations).toEqual([
      expect.stringContaining(`long has ${BUDGETS.functionMost + 1} lines`),
    ]);
    expect(checkSizes([file(body(BUDGETS.functionMost) + few)], []).violations).toEqual([]);
    expect(checkSizes([file(body(140), 'packages/isa/src/a.test.ts')], []).violations).toEqual([]);
  });

  test('when one function in twenty is longer than forty lines', () => {
    expect(checkSizes([file(body(BUDGETS.functionP95 + 1))], []).violations).toEqual([
      expect.stringContaining('one function in twenty'),
    ]);
  });

  test('when a README is too long, or a file does not begin with its idea', () => {
    expect(checkSizes([], [file(lines(BUDGETS.readmeMost + 1), 'packages/isa/README.md')]).violations).toHaveLength(1);
    expect(checkSizes([file('export const a = 1;\n')], []).violations).toEqual([expect.stringContaining('first line')]);
  });
});

test('functions are found by the parser: methods, arrows with blocks, functions inside functions', () => {
  const text = `class A {\n  method() {\n  }\n}\nconst arrow = () => {\n  const inner = function () {\n  };\n};\nconst short = () => 1;\n`;
  expect(functionsOf(file(text))).toEqual([
    {name: 'method', line: 2, lines: 2},
    {name: 'arrow', line: 5, lines: 4},
    {name: 'inner', line: 6, lines: 2},
  ]);
});

test('braces in strings and comments do not confuse the count', () => {
  const text = "function f() {\n  const a = '}';\n  // }\n  return `${'}'}`;\n}\n";
  expect(functionsOf(file(text))).toEqual([{name: 'f', line: 1, lines: 5}]);
});

test('percentiles are nearest ranks', () => {
  expect(percentile([4, 1, 3, 2], 0.5)).toBe(2);
  expect(
    percentile(
      Array.from({length: 100}, (_, i) => i + 1),
      0.95,
    ),
  ).toBe(95);
  expect(percentile([], 0.5)).toBe(0);
});
