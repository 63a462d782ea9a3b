// The lab in a frame of somebody else's page. In a narrow one, as in lecture notes, what was asked for lies one below the other, the
// stage as wide as the frame, and what happened has the room that is left. Comes behind the arrangement of the lab, which it changes.

import {css} from 'lit';

export const embedStyles = css`
  /* Frames are low: they are arranged by their width alone. */
  :host([embed~='stage'][embed~='why']:not([presenting])) .middle > .story {
    flex: 1 1 0;
    min-width: 0;
  }
  @media (min-width: 760px) {
    :host([embed]:not([presenting], [embed~='timeline'])) footer {
      padding-inline-end: 140px;
    }
    :host([embed]:not([embed~='timeline'])) .whole {
      inset-block-end: 14px;
    }
  }
  @media (max-width: 759px) {
    :host([embed]:not([presenting])) {
      --stage-height: clamp(150px, calc(100dvh - 300px), 46vw);
    }
    :host([embed~='timeline']:not([presenting])),
    :host([embed~='code']:not([presenting])) {
      --stage-height: clamp(150px, calc(100dvh - 440px), 46vw);
    }
    :host([embed]:not([presenting])) main:not(.center) > .left {
      flex: 0 0 auto;
      max-height: 45%;
    }
    /* Alone beside what happened, code and console have the larger part. */
    :host([embed]:not([presenting], [embed~='stage'])) main:not(.center) > .left {
      flex: 1.2 1 0;
      max-height: none;
    }
    :host([embed~='stage']:not([presenting])) .left .code {
      min-height: 0;
      height: 128px;
    }
    :host([embed]:not([presenting])) .left .encoding {
      display: none;
    }
    :host([embed]:not([presenting])) main:not(.center) > .middle {
      flex: 1 1 0;
    }
    :host([embed~='stage'][embed~='why']:not([presenting])) .middle {
      align-items: stretch;
      gap: 4px;
    }
    :host([embed~='stage'][embed~='why']:not([presenting])) .middle > .stage {
      flex: none;
    }
    :host([embed]:not([presenting])) .middle > .story {
      flex: 1 1 0;
      overflow: auto;
    }
    /* The transport has one row for its buttons, and one for where they have led. */
    :host([embed]:not([presenting])) :is(hs-play-speed, .record) {
      display: none;
    }
    :host([embed~='timeline']) .whole {
      inset: auto 12px 142px auto;
    }
  }
`;
