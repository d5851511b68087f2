import { stringifyEntityRef } from '@backstage/catalog-model';
import { useEntity } from '@backstage/plugin-catalog-react';
import { SERVICE_ANNOTATION } from '../../annotations';
import { Guarded } from '../../components/Guarded';
import { MessagesOf } from './Messages';

/** The dead letters of a component. */
export function ServiceTab() {
  const { entity } = useEntity();
  const { annotations, name } = entity.metadata;
  const resourceRef = stringifyEntityRef(entity);
  return (
    <Guarded resourceRef={resourceRef}>
      <MessagesOf
        service={annotations?.[SERVICE_ANNOTATION] ?? name}
        resourceRef={resourceRef}
      />
    </Guarded>
  );
}
