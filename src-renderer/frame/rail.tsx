import type { Service } from '#shared/contract/topology.ts';
import { addSearchTerm } from '../stores/calls-store.ts';
import { useRules } from '../stores/rules-store.ts';
import { useTopologyEvery } from '../stores/topology-store.ts';
import { openView, viewNames } from '../stores/view-store.ts';
import type { ViewName } from '../stores/view-store.ts';
import { Glyph } from '../ui/glyph.tsx';
import { Icon } from '../ui/icon.tsx';
import { formatRate } from '../ui/words.ts';
import { views } from './views.tsx';

/** The way between the views, and the services with how they are. */
export function Rail({ current }: { current: ViewName }) {
  const active = useRules((store) => store.rules?.filter((rule) => rule.enabled).length ?? 0);
  return (
    <nav className="rail" aria-label="Views">
      {viewNames.map((name, index) => (
        <a
          key={name}
          href={`#/${name}`}
          aria-label={views[name].label}
          aria-current={name === current ? 'page' : undefined}
          title={`${views[name].label} (${index + 1})`}
        >
          <Icon of={views[name].icon} size={15} />
          <span className="lbl">{views[name].label}</span>
          {name === 'faults' && active > 0 && <span className="n fault">{active}</span>}
        </a>
      ))}
      <Services />
    </nav>
  );
}

function Services() {
  const topology = useTopologyEvery(1000);
  if (topology === null || topology.services.length === 0) return null;
  const services = [...topology.services].sort((a, b) => a.depth - b.depth || (a.name < b.name ? -1 : 1));
  return (
    <>
      <h3>Services</h3>
      <div className="svcs">
        {services.map((service) => (
          <ServiceButton key={service.name} service={service} />
        ))}
      </div>
    </>
  );
}

function ServiceButton({ service }: { service: Service }) {
  const search = () => {
    addSearchTerm('service', service.name);
    openView('live');
  };
  return (
    <button className="svc" title={`${service.name}: ${service.note}`} onClick={search}>
      <Glyph health={service.health} />
      <span className="clip">{service.name}</span>
      <span className="v">{formatRate(service.perSecond)}</span>
    </button>
  );
}
