import {readdirSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {defineConfig} from 'vitest/config';

const packages = fileURLToPath(new URL('./packages/', import.meta.url));
// In tests a package is its sources: no build is needed, and a stack trace points at what was written.
const alias = readdirSync(packages).map(name => ({
  find: new RegExp(`^@hyperscope/${name}$`),
  replacement: `${packages}${name}/src/index.ts`,
}));

export default defineConfig({
  resolve: {alias},
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'packages/*/src/**/*.kvmtest.ts',
      'packages/*/conformance/**/*.test.ts',
      'packages/tools/**/*.test.mjs',
      'native/**/*.test.mjs',
    ],
    exclude: ['**/node_modules/**', '**/dist/**', '**/build/**'],
    environment: 'node',
    // A slow machine is not a failing test; what hangs is ended by the stage's own limit.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
