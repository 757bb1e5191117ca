/** The colours of charts, in the light and in the dark, and what all charts have in common. */
import type { EChartsOption } from 'echarts';

export interface Palette {
  readonly font: string;
  readonly ink: string;
  readonly muted: string;
  readonly line: string;
  readonly paper: string;
  readonly accent: string;
  readonly good: string;
  /** Of series that stand side by side; told apart by people who see red and green alike (after Okabe & Ito). */
  readonly series: readonly string[];
  /** From low to high. */
  readonly scale: readonly string[];
}

const PAGE_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";

export const LIGHT: Palette = {
  font: PAGE_FONT,
  ink: '#1c2430',
  muted: '#5b6675',
  line: '#dfe4ea',
  paper: '#ffffff',
  accent: '#0b62b0',
  good: '#b24a00',
  series: ['#0072b2', '#d55e00', '#009270', '#b5578f', '#9a6a00', '#3b8fc4', '#6b6b6b', '#7a4fb5'],
  scale: ['#0d2f5e', '#1f6aa5', '#58a6c9', '#bcd8c6', '#f4e3a1', '#f0a860', '#c94f2d'],
};

export const DARK: Palette = {
  font: PAGE_FONT,
  ink: '#e8edf3',
  muted: '#9aa7b6',
  line: '#2c3642',
  paper: '#161c24',
  accent: '#62b0f5',
  good: '#ffa05c',
  series: ['#5fb4f0', '#ff9a5c', '#3ecfa3', '#e59ac9', '#eec24a', '#8fd0ff', '#b0b0b0', '#b99cf0'],
  scale: ['#10396e', '#2a79b5', '#69b5d6', '#bcd8c6', '#f4e3a1', '#f0a860', '#e0663f'],
};

/** What every chart has: no motion, the page's font, tooltips drawn by the canvas. */
export function common({ font, ink, paper, line }: Palette): EChartsOption {
  return {
    animation: false,
    backgroundColor: 'transparent',
    textStyle: { fontFamily: font, color: ink },
    tooltip: {
      renderMode: 'richText',
      confine: true,
      backgroundColor: paper,
      borderColor: line,
      textStyle: { color: ink, fontSize: 12 },
    },
  };
}

export function axisLook({ muted, line }: Palette) {
  return {
    nameTextStyle: { color: muted, fontSize: 12 },
    axisLabel: { color: muted, fontSize: 11, hideOverlap: true },
    axisLine: { onZero: false, lineStyle: { color: line } },
    axisTick: { lineStyle: { color: line } },
    splitLine: { lineStyle: { color: line } },
  };
}

/** Zoom along the x axis: the wheel alone scrolls the page. */
export const ZOOM: NonNullable<EChartsOption['dataZoom']> = [
  { type: 'inside', xAxisIndex: 0, filterMode: 'none', zoomOnMouseWheel: 'ctrl', moveOnMouseMove: true },
];

/** A legend above the chart. */
export const legendLook = ({ ink, muted }: Palette) => ({
  top: 0,
  left: 0,
  itemWidth: 18,
  itemHeight: 8,
  textStyle: { color: ink, fontSize: 12 },
  pageTextStyle: { color: muted },
  type: 'scroll' as const,
});
