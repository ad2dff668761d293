import { useEffect, useRef, useState } from "preact/hooks";

/** The width of an element, kept up to date. */
export function useWidth<T extends HTMLElement>() {
  const element = useRef<T>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const place = element.current;
    if (!place) return;
    const watch = new ResizeObserver(() => setWidth(place.clientWidth));
    watch.observe(place);
    setWidth(place.clientWidth);
    return () => watch.disconnect();
  }, []);
  return { element, width };
}
