import { DemoWay } from './demo-way.tsx';
import { MachinePanel } from './machine-panel.tsx';
import { ProxyWay } from './proxy-way.tsx';
import { RouteWay } from './route-way.tsx';
import { RunWay } from './run-way.tsx';
import './setup.css';
import { TrustWay } from './trust-way.tsx';

/** The ways in which calls come to pass through Spike, and whether they do. */
export function SetupView() {
  return (
    <div className="su">
      <div className="ways">
        <h1>Get the first call in</h1>
        <p className="t2 lead">
          Pick one way. You can mix them later. None of them changes your code, and Spike listens on this
          machine only.
        </p>
        <RunWay />
        <RouteWay />
        <ProxyWay />
        <TrustWay />
        <DemoWay />
      </div>
      <MachinePanel />
    </div>
  );
}
