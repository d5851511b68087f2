import { useMutation } from '@tanstack/react-query';
import { save } from '../../../components/save';
import { useDeadLetter } from '../../../hooks/useDeadLetter';

/** Saves the exact bytes of a body. */
export function useDownload(id: string, fileName: string) {
  const client = useDeadLetter();
  return useMutation<void, Error>({
    mutationFn: async () => save(await client.body(id), fileName),
  });
}
