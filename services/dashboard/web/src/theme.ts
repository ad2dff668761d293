// Runs before the first paint, so that no page flashes in the wrong colours.
try {
  const chosen = localStorage.getItem("rootward.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset["theme"] = chosen;
} catch {
  // Storage may be forbidden; the system's colours are right then.
}
