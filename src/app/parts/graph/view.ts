/** Which part of a diagram is seen, and how large. */
import { createSignal } from "solid-js"
import type { Point } from "./layout.ts"

const Smallest = 0.1
const Largest = 2.5

/** How far an arrow key moves the diagram, in pixels. */
const Step = 80

interface Size {
  readonly width: number
  readonly height: number
}

export const createView = (frame: () => HTMLElement | undefined, size: () => Size | undefined) => {
  const [view, setView] = createSignal({ x: 0, y: 0, scale: 1 })

  /** Changes the size. The given point of the frame stays in place; without one, its middle does. */
  const zoom = (by: number, around?: Point) => {
    const { height, width } = frame()?.getBoundingClientRect() ?? { width: 0, height: 0 }
    const point = around ?? { x: width / 2, y: height / 2 }
    setView(({ scale, x, y }) => {
      const next = Math.min(Largest, Math.max(Smallest, scale * by))
      const factor = next / scale
      return { scale: next, x: point.x - (point.x - x) * factor, y: point.y - (point.y - y) * factor }
    })
  }
  const pan = (x: number, y: number) => setView((before) => ({ ...before, x: before.x + x, y: before.y + y }))
  /** Puts a point of the diagram into the middle of the frame. */
  const center = (point: Point, scale: number) => {
    const { clientHeight = 0, clientWidth = 0 } = frame() ?? {}
    setView({ scale, x: clientWidth / 2 - point.x * scale, y: clientHeight / 2 - point.y * scale })
  }
  const fitting = () => {
    const { clientHeight = 0, clientWidth = 0 } = frame() ?? {}
    const { height, width } = size() ?? { width: 1, height: 1 }
    return Math.min(1, clientWidth / width, clientHeight / height)
  }
  const fit = () => {
    const { height, width } = size() ?? { width: 1, height: 1 }
    center({ x: width / 2, y: height / 2 }, Math.max(Smallest, fitting()))
  }
  /** Shows the whole graph if it is legible at that size. Otherwise shows the point, or the beginning of the graph. */
  const begin = (point: Point | undefined) => {
    if (fitting() >= 0.6) return fit()
    if (point !== undefined) return center(point, 0.8)
    const { clientHeight = 0 } = frame() ?? {}
    setView({ scale: 0.7, x: 8, y: clientHeight / 2 - (size()?.height ?? 0) * 0.35 })
  }
  /** Moves the diagram so that a point is seen, if it is not. */
  const show = (point: Point) => {
    const element = frame()
    if (element === undefined) return
    // The browser scrolls what has the focus into the frame, which has no scroll bars.
    element.scrollTo(0, 0)
    const { scale, x, y } = view()
    const at = { x: x + point.x * scale, y: y + point.y * scale }
    if (at.x < 0 || at.y < 0 || at.x > element.clientWidth || at.y > element.clientHeight) center(point, scale)
  }

  const listen = (element: HTMLElement) => {
    const pointers = new Map<number, Point>()
    let travelled = 0
    const distance = () => {
      const [a, b] = [...pointers.values()]
      return a === undefined || b === undefined ? undefined : Math.hypot(a.x - b.x, a.y - b.y)
    }
    element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return
      if (pointers.size === 0) travelled = 0
      pointers.set(event.pointerId, { x: event.clientX, y: event.clientY })
    })
    element.addEventListener("pointermove", (event) => {
      const before = pointers.get(event.pointerId)
      if (before === undefined) return
      const apart = distance()
      pointers.set(event.pointerId, { x: event.clientX, y: event.clientY })
      travelled += Math.abs(event.clientX - before.x) + Math.abs(event.clientY - before.y)
      // A click moves a little. Only what moves more is a drag, which keeps the pointer.
      if (travelled > 6 && !element.hasPointerCapture(event.pointerId)) element.setPointerCapture(event.pointerId)
      const now = distance()
      const { left, top } = element.getBoundingClientRect()
      if (apart !== undefined && now !== undefined) {
        zoom(now / apart, { x: event.clientX - left, y: event.clientY - top })
      } else pan(event.clientX - before.x, event.clientY - before.y)
    })
    for (const end of ["pointerup", "pointercancel"] as const) {
      element.addEventListener(end, (event) => pointers.delete(event.pointerId))
    }
    // A link is not followed by a drag that began on it.
    element.addEventListener("click", (event) => {
      if (travelled > 6) event.preventDefault()
    }, { capture: true })
    element.addEventListener("dragstart", (event) => event.preventDefault())
    element.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return
      event.preventDefault()
      const { left, top } = element.getBoundingClientRect()
      zoom(Math.exp(-event.deltaY / 200), { x: event.clientX - left, y: event.clientY - top })
    }, { passive: false })
    element.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return
      const does: Record<string, () => void> = {
        ArrowLeft: () => pan(Step, 0),
        ArrowRight: () => pan(-Step, 0),
        ArrowUp: () => pan(0, Step),
        ArrowDown: () => pan(0, -Step),
        "+": () => zoom(1.3),
        "-": () => zoom(1 / 1.3),
        "0": fit
      }
      const found = does[event.key]
      if (found === undefined) return
      event.preventDefault()
      found()
    })
  }
  return {
    transform: () => `translate(${view().x}px, ${view().y}px) scale(${view().scale})`,
    zoom,
    fit,
    begin,
    show,
    listen
  }
}
