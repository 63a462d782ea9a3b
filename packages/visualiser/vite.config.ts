// The page and its worker as static files that work from any folder, offline, without a server of ours.

import {defaultClientConditions, defineConfig} from 'vite';

export default defineConfig({
  base: './',
  resolve: {conditions: ['@hyperscope/source', ...defaultClientConditions]},
  build: {target: 'es2022', outDir: 'dist', emptyOutDir: true, sourcemap: true, modulePreload: {polyfill: false}},
  worker: {format: 'es'},
});
