// The frame around every page, and which page an address shows.
import { useEffect, useState } from "preact/hooks";
import { AccessPage } from "./access/page";
import { readMe } from "./api/me";
import { mayAdmin, me } from "./api/session";
import { href, path } from "./state/route";
import { Explained } from "./explain/page";
import { IncidentList } from "./list/page";
import { Incident } from "./incident/page";
import { Methods } from "./methods/page";
import { StatusPage } from "./status/page";
import { Freshness, SystemBanners } from "./status/freshness";
import { Announcements } from "./ui/announce";
import { useKeys } from "./ui/keys";
import { Settings } from "./ui/settings";
import { Shortcuts } from "./ui/shortcuts";
import { useTitle } from "./ui/title";

export function App() {
  const [help, setHelp] = useState(false);
  useKeys({ "?": () => setHelp(true) });
  useEffect(() => void readMe().catch(() => undefined), []); // the page says by itself what failed
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <Header />
      <main id="main" tabIndex={-1}>
        <SystemBanners />
        <Page />
      </main>
      <footer class="site">
        <div class="inner">
          <Settings />
          <button type="button" class="link" onClick={() => setHelp(true)}>
            Keyboard <kbd>?</kbd>
          </button>
          <a href={href("/openapi.json")}>OpenAPI</a>
        </div>
      </footer>
      <Announcements />
      {help && <Shortcuts onClose={() => setHelp(false)} />}
    </>
  );
}

function Header() {
  const section = path.value.split("/")[1] ?? "";
  const here = (name: string) => (section === name ? ("page" as const) : undefined);
  return (
    <header class="site">
      <div class="inner">
        <a class="brand" href={href("/")}>
          <Logo />
          <span>Rootward</span>
        </a>
        <nav aria-label="Main">
          <a href={href("/")} aria-current={here("") ?? (section === "incidents" ? "true" : undefined)}>
            Incidents
          </a>
          <a href={href("/methods")} aria-current={here("methods")}>
            Methods
          </a>
          <a href={href("/status")} aria-current={here("status")}>
            Status
          </a>
          {mayAdmin() && (
            <a href={href("/access")} aria-current={here("access")}>
              Access
            </a>
          )}
        </nav>
        <Freshness />
        <Who />
      </div>
    </header>
  );
}

/** Who is logged in, and the way out; nothing where no login is needed. */
function Who() {
  const known = me.value;
  if (!known?.mayLogOut) return null;
  return (
    <form class="who row" method="post" action={href("/logout")}>
      <span>{known.name}</span>
      <button type="submit" class="link">
        Log out
      </button>
    </form>
  );
}

function Logo() {
  return (
    <svg class="logo" width="20" height="20" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M11 21 21 11M13 24h9" />
      <circle cx="8" cy="24" r="5" />
      <circle cx="24" cy="8" r="4" />
      <circle cx="25" cy="24" r="2.5" />
    </svg>
  );
}

function Page() {
  const [, section, key] = path.value.split("/");
  if (section === "incidents" && key) {
    return <Incident key={key} name={decodeURIComponent(key)} />;
  }
  if (section === "methods") return <Methods chosen={key ? decodeURIComponent(key) : ""} />;
  if (section === "explain" && key) return <Explained key={key} id={decodeURIComponent(key)} />;
  if (section === "access") return <AccessPage />;
  if (section === "status") return <StatusPage />;
  if (section === "") return <IncidentList />;
  return <Nowhere />;
}

function Nowhere() {
  useTitle("Not found");
  return (
    <section class="empty">
      <h1>There is nothing at this address</h1>
      <p>
        <a href={href("/")}>To the incidents</a>
      </p>
    </section>
  );
}
