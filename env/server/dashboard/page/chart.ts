/** A chart in the page: drawn again when its size or the page's colours change. */
import { BarChart, CustomChart, HeatmapChart, LineChart, ParallelChart, ScatterChart } from 'echarts/charts';
import {
  DataZoomInsideComponent,
  GridComponent,
  LegendScrollComponent,
  MarkLineComponent,
  ParallelComponent,
  TooltipComponent,
  VisualMapContinuousComponent,
} from 'echarts/components';
import { init, use, type EChartsType } from 'echarts/core';
import type { EChartsOption } from 'echarts';
import { CanvasRenderer } from 'echarts/renderers';
import { h } from './dom.ts';
import { palette } from './theme.ts';
import type { Palette } from '../charts/palette.ts';

use([
  ...[BarChart, CustomChart, HeatmapChart, LineChart, ParallelChart, ScatterChart, CanvasRenderer],
  ...[DataZoomInsideComponent, GridComponent, LegendScrollComponent, MarkLineComponent, ParallelComponent],
  ...[TooltipComponent, VisualMapContinuousComponent],
]);

export class Chart {
  readonly element: HTMLElement;
  private readonly canvas: HTMLElement;
  private readonly summary: HTMLElement;
  private chart: EChartsType | undefined;
  private make: ((palette: Palette) => EChartsOption) | undefined;
  private readonly sizes: ResizeObserver;
  private readonly listeners: [event: string, listener: (event: never) => void][] = [];

  /** @param label what the chart shows, for those who cannot see it; `say` in `set` adds what it says */
  constructor(label: string, kind = '') {
    this.summary = h('figcaption', { class: 'unseen' }, label);
    this.canvas = h('div', { class: 'canvas', 'aria-hidden': 'true' });
    this.element = h('figure', { class: `chart ${kind}`, 'aria-label': label }, this.canvas, this.summary);
    this.sizes = new ResizeObserver(() => this.fit());
    this.sizes.observe(this.canvas);
  }

  /** @param summary what the chart says, in a sentence */
  set(make: (palette: Palette) => EChartsOption, summary: string): void {
    this.make = make;
    this.summary.textContent = summary;
    this.draw();
  }

  /** Draws again, for example in other colours. */
  draw(): void {
    if (!this.chart || !this.make) return;
    const option = this.make(palette());
    this.chart.setOption(option.dataZoom ? { ...option, dataZoom: this.zoomed(option.dataZoom) } : option, {
      notMerge: true,
      lazyUpdate: false,
    });
  }

  /** The part of the axis that the reader has chosen stays chosen. */
  private zoomed(zoom: NonNullable<EChartsOption['dataZoom']>): object[] {
    const [before] = (this.chart!.getOption()?.['dataZoom'] ?? []) as { start?: number; end?: number }[];
    return [zoom].flat().map((each) => ({ ...each, start: before?.start ?? 0, end: before?.end ?? 100 }));
  }

  on<E>(event: string, listener: (event: E) => void): void {
    this.listeners.push([event, listener]);
    this.chart?.on(event, listener as (event: unknown) => void);
  }

  /** The chart itself, where it has been drawn. */
  get echarts(): EChartsType | undefined {
    return this.chart;
  }

  close(): void {
    this.sizes.disconnect();
    // A drawing that takes several frames would go on when its canvas is gone, if no other took its place.
    this.chart?.clear();
    this.chart?.getZr().refreshImmediately();
    this.chart?.dispose();
    this.chart = undefined;
  }

  private fit(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (width === 0 || height === 0) return;
    if (this.chart) return this.chart.resize();
    this.chart = init(this.canvas, null, { renderer: 'canvas' });
    for (const [event, listener] of this.listeners) this.chart.on(event, listener as (event: unknown) => void);
    this.chart.getZr().on('dblclick', () => this.chart?.dispatchAction({ type: 'dataZoom', start: 0, end: 100 }));
    this.draw();
  }
}
