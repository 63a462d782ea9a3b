// Counts lines against the budgets of sizes.mjs. `node packages/tools/budgets.mjs`

import {readFileSync} from 'node:fs';
import {checkSizes} from './sizes.mjs';
import {listFiles, readSources, ROOT} from './sources.mjs';

const readmes = ['packages', 'native']
  .flatMap(folder => listFiles(ROOT, folder, path => path.endsWith('README.md')))
  .map(path => ({path, text: readFileSync(ROOT + path, 'utf8')}));
const {violations, figures} = checkSizes(readSources(), readmes);
for (const sentence of violations) console.error(`${sentence}.`);
console.log(
  `${figures.files} files, median ${figures.median} lines; ${figures.functions} functions, 95 % below ${figures.p95 + 1} lines; ` +
    `${violations.length} over budget.`,
);
process.exitCode = violations.length > 0 ? 1 : 0;
