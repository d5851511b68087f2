import { useReadable } from './useReadable';
import { useServiceTabs } from './useTabs';

/** Tells of services whether whoever looks may see their dead letters; undefined while that is not known. */
export function useReadableServices(
  services: string[],
): (service: string) => boolean | undefined {
  const wanted = [...new Set(services)];
  const placeOf = useServiceTabs(wanted);
  const mayRead = useReadable(
    wanted.flatMap(each => placeOf(each)?.resourceRef ?? []),
  );
  return service => {
    const place = placeOf(service);
    return place && mayRead(place.resourceRef);
  };
}
