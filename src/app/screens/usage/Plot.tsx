/** The cost of each day as bars, drawn by uPlot. */
import { createEffect, onCleanup, onMount } from "solid-js"
import uPlot from "uplot"
import "uplot/dist/uPlot.min.css"
import { compact, dollars } from "../../parts/words.ts"
import type { Day } from "./days.ts"
import "./plot.css"

const Height = 260

/** In seconds: the bars of the first and the last day are whole. */
const HalfDay = 43_200

/** The colour that a class has in the present scheme. */
const colourOf = (place: HTMLElement, name: string) => {
  const probe = document.createElement("span")
  probe.className = name
  place.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

const Plot = (props: {
  readonly days: ReadonlyArray<Day>
  readonly of: "cost" | "tokens"
  readonly cap: number | null
  readonly label: string
}) => {
  const place = document.createElement("div")
  place.className = "plot"
  // The tables of the screen say the same.
  place.ariaHidden = "true"
  let plot: uPlot | undefined
  const draw = () => {
    plot?.destroy()
    const colour = (name: string) => colourOf(place, `plot-${name}`)
    const axis = {
      stroke: colour("words"),
      grid: { stroke: colour("line"), width: 1 },
      ticks: { show: false },
      font: "12px system-ui"
    }
    const format = props.of === "cost" ? dollars : compact
    const { cap } = props
    plot = new uPlot(
      {
        width: place.clientWidth,
        height: Height,
        legend: { show: true, live: true },
        cursor: { y: false },
        scales: {
          x: { time: true, range: (_, first, last) => [first - HalfDay, last + HalfDay] },
          y: { range: (_, __, most) => [0, Math.max(most, cap ?? 0) * 1.1 || 1] }
        },
        tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "UTC"),
        axes: [axis, { ...axis, size: 64, values: (_, ticks) => ticks.map(format) }],
        series: [
          { label: "Day", value: "{YYYY}-{MM}-{DD}" },
          {
            label: props.label,
            value: (_, value) => value == null ? "–" : format(value),
            stroke: colour("bar"),
            fill: colour("bar"),
            paths: uPlot.paths.bars!({ size: [0.7, 48], align: 0 }),
            points: { show: false }
          },
          ...(cap === null ? [] : [{
            label: "Cap",
            value: (_: uPlot, value: number) => value == null ? "–" : format(value),
            stroke: colour("cap"),
            width: 2,
            dash: [6, 4],
            points: { show: false }
          }])
        ]
      },
      [
        props.days.map(({ at }) => at),
        props.days.map((day) => day[props.of] || null),
        ...(cap === null ? [] : [props.days.map(() => cap)])
      ],
      place
    )
  }
  onMount(() => {
    const resized = new ResizeObserver(() => plot?.setSize({ width: place.clientWidth, height: Height }))
    resized.observe(place)
    const scheme = matchMedia("(prefers-color-scheme: dark)")
    scheme.addEventListener("change", draw)
    const themed = new MutationObserver(draw)
    themed.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] })
    onCleanup(() => {
      resized.disconnect()
      themed.disconnect()
      scheme.removeEventListener("change", draw)
      plot?.destroy()
    })
  })
  createEffect(draw)
  return place
}
export default Plot
