// Where a scenario stands in the lab: a column of its own, the code and the inspector sharing what is left of the sides.

import {css} from 'lit';

export const lessonStyles = css`
  main.lesson:not(.center) {
    grid-template-columns: minmax(340px, 25%) minmax(0, 1fr) minmax(340px, 26%);
    grid-template-rows: minmax(0, 1fr) minmax(0, 1fr);
  }
  .lesson .scenario {
    grid-column: 1;
    grid-row: 1 / 3;
    display: flex;
    flex-direction: column;
  }
  .lesson .scenario > * {
    flex: 1;
    min-height: 0;
  }
  .lesson .middle {
    grid-column: 2;
    grid-row: 1 / 3;
  }
  .lesson .left {
    grid-column: 3;
    grid-row: 1;
  }
  .lesson .right {
    grid-column: 3;
    grid-row: 2;
  }
  .lesson .left .exits {
    display: none;
  }
  main.lesson.editing:not(.center) {
    grid-template-columns: minmax(300px, 22%) minmax(0, 1fr) minmax(480px, 38%);
  }
  .lesson.editing .left {
    grid-row: 1 / 3;
  }
  .lesson.editing .right {
    display: none;
  }
  @media (max-width: 1199px) {
    main.lesson:not(.center) {
      grid-template-columns: minmax(300px, 38%) minmax(0, 1fr);
      grid-template-rows: minmax(0, 2.7fr) minmax(0, 1fr);
      --stage-height: 21vh;
      --strip-display: none;
    }
    .lesson .scenario {
      grid-column: 1;
      grid-row: 1 / 3;
    }
    .lesson .middle {
      grid-column: 2;
      grid-row: 1;
    }
    .lesson .left {
      grid-column: 2;
      grid-row: 2;
    }
    .lesson .right {
      display: none;
    }
    main.lesson.editing:not(.center) {
      grid-template-columns: minmax(280px, 34%) minmax(0, 1fr);
      grid-template-rows: minmax(0, 1fr);
    }
    .lesson.editing .middle {
      display: none;
    }
    .lesson.editing .left {
      grid-row: 1;
    }
  }
  /* Where the page scrolls there is room for the stage. */
  @media (max-width: 759px), (max-height: 599px) {
    main.lesson:not(.center) {
      --stage-height: 50vh;
    }
  }
`;
