// The version of Hyperscope, from the manifest beside the program.

import {readFileSync} from 'node:fs';

export function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const known =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest && typeof manifest.version === 'string';
  return known ? manifest.version : 'unknown';
}
