// The story page, for looking at elements: `npx vite packages/elements`.

import {defaultClientConditions, defineConfig} from 'vite';

export default defineConfig({resolve: {conditions: ['@hyperscope/source', ...defaultClientConditions]}});
