// The look of the documentation: VitePress' own, in the lab's colours, and a line on what is there without a network.

import DefaultTheme from 'vitepress/theme';
import {h} from 'vue';
import {LabTheme} from './lab-theme.js';
import {OfflineLine} from './offline-line.js';
import './lab.css';

export default {
  extends: DefaultTheme,
  Layout: () =>
    h(DefaultTheme.Layout, null, {
      'sidebar-nav-after': () => h(OfflineLine),
      'layout-bottom': () => h(LabTheme),
    }),
};
