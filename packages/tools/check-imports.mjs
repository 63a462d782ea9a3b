// Holds every import against the table of arrows in imports.mjs. `node packages/tools/check-imports.mjs`

import {checkImports} from './imports.mjs';
import {readSources} from './sources.mjs';

const files = readSources();
const violations = checkImports(files);
for (const {path, line, specifier, why} of violations) console.error(`${path}:${line}: '${specifier}': ${why}.`);
console.log(`${files.length} files, ${violations.length} forbidden imports.`);
process.exitCode = violations.length > 0 ? 1 : 0;
