import { Operation } from '@dead-letter/backstage-plugin-dead-letter-common';
import { May, useMay } from '../../hooks/useMay';
import { useServiceTabs } from '../../hooks/useTabs';

/** Whether whoever looks may steer this operation, or take it back: on all services that it acts on. */
export function useSteeringAllowed({ kind, services }: Operation): May {
  const wanted = kind === 'redeliver' ? 'redeliver' : 'delete';
  const [service, ...others] = services ?? [];
  const place = useServiceTabs(service ? [service] : [])(service ?? '');
  const resourceRef = others.length === 0 ? place?.resourceRef : undefined;
  const may = useMay(wanted, { services, resourceRef });
  return { ...may, loading: may.loading || Boolean(service && !place) };
}
