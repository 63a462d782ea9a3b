// The look of the documentation: VitePress' own, in the lab's colours.

import DefaultTheme from 'vitepress/theme';
import './lab.css';

export default DefaultTheme;
