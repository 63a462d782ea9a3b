// How large files, functions and READMEs may be, and how large they are.

import {isTest, lineFinder, parse} from './sources.mjs';

export const BUDGETS = {fileMedian: 150, fileMost: 500, functionP95: 40, functionMost: 80, readmeMost: 60};

/** The first line of a file that has to be longer than the budget says so: `// Long because one table is one idea.` */
const REASON = /^(\/\/|\/\*\*?|#) *Long because /;

const countLines = text => (text === '' ? 0 : text.split('\n').length - (text.endsWith('\n') ? 1 : 0));

/** The value below which `share` of the sorted numbers lie (nearest rank); 0 of none. */
export function percentile(numbers, share) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

/** Every function with a block for a body: `{name, line, lines}`. */
export function functionsOf(file) {
  const lineOf = lineFinder(file.text);
  const found = [];
  const visit = (node, name) => {
    if (Array.isArray(node)) {
      for (const item of node) visit(item, name);
      return;
    }
    if (node === null || typeof node !== 'object') return;
    const own = node.id?.name ?? node.key?.name ?? name;
    if (/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)) {
      const block = node.body?.type === 'BlockStatement' || node.body?.type === 'FunctionBody';
      const line = lineOf(node.start);
      if (block) found.push({name: own ?? '(anonymous)', line, lines: lineOf(node.end) - line + 1});
    }
    for (const [key, value] of Object.entries(node)) {
      if (typeof value === 'object' && key !== 'id' && key !== 'key') visit(value, own);
    }
  };
  visit(parse(file).program, undefined);
  return found;
}

function judgeFiles(files) {
  const long = files.filter(file => countLines(file.text) > BUDGETS.fileMost && !REASON.test(file.text));
  const median = percentile(
    files.map(file => countLines(file.text)),
    0.5,
  );
  const violations = long.map(
    file =>
      `${file.path}: ${countLines(file.text)} lines, more than ${BUDGETS.fileMost}: split it, or begin it with "// Long because …"`,
  );
  if (median > BUDGETS.fileMedian)
    violations.push(`the median file has ${median} lines, more than ${BUDGETS.fileMedian}`);
  return {violations, median};
}

function judgeFunctions(files) {
  const functions = files.flatMap(file => functionsOf(file).map(item => ({...item, path: file.path})));
  const p95 = percentile(
    functions.map(item => item.lines),
    0.95,
  );
  const violations = functions
    .filter(item => item.lines > BUDGETS.functionMost)
    .map(item => `${item.path}:${item.line}: ${item.name} has ${item.lines} lines, more than ${BUDGETS.functionMost}`);
  if (p95 > BUDGETS.functionP95) {
    const longest = functions.sort((a, b) => b.lines - a.lines).slice(0, 5);
    const names = longest.map(item => `${item.name} (${item.lines}, ${item.path})`).join(', ');
    violations.push(
      `one function in twenty has ${p95} lines or more, above ${BUDGETS.functionP95}; the longest: ${names}`,
    );
  }
  return {violations, p95, count: functions.length};
}

/** House rule 2: the first line says which idea the file is. */
function judgeFirstLines(files) {
  return files
    .filter(
      file => file.text !== '' && !/^(#!.*\n)?(\/\/|\/\*)/.test(file.text) && !/(^|\/)index\.[jt]s$/.test(file.path),
    )
    .map(file => `${file.path}: the first line does not say which idea this file is`);
}

/** Holds sources and READMEs (`{path, text}`) against the budgets: violations as sentences, and the figures. */
export function checkSizes(sources, readmes) {
  const ours = sources.filter(file => !isTest(file.path));
  const files = judgeFiles(sources);
  const functions = judgeFunctions(ours);
  const long = readmes
    .filter(file => countLines(file.text) > BUDGETS.readmeMost)
    .map(file => `${file.path}: ${countLines(file.text)} lines, more than ${BUDGETS.readmeMost}`);
  return {
    violations: [...files.violations, ...functions.violations, ...judgeFirstLines(ours), ...long],
    figures: {files: sources.length, median: files.median, functions: functions.count, p95: functions.p95},
  };
}
