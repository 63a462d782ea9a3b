// The addon's C++ files: the one list that both ways of building use. Run directly, prints them for binding.gyp.

import {readdirSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Paths relative to native/, in a fixed order. */
export function sources(...extensions) {
  return readdirSync(join(root, 'kvm'))
    .filter(name => extensions.some(extension => name.endsWith(extension)))
    .sort()
    .map(name => `kvm/${name}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(sources('.cc').join('\n'));
