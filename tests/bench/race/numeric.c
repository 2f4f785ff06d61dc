/* numeric.c: loops over arrays: a product of matrices, a stencil with barriers, byte loops. */
#include "work.h"

/* ---- matmul: C = A * B, rows shared out ---- */
enum { N = 880 };
static double A[N][N], B[N][N], C[N][N];
static void *matmul_rows(void *arg)
{
	for (int i = (int)(intptr_t)arg; i < N; i += THREADS)
		for (int k = 0; k < N; k++)
			for (int j = 0; j < N; j++)
				C[i][j] += A[i][k] * B[k][j];
	return NULL;
}
uint64_t work_matmul(void)
{
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			A[i][j] = i + j;
			B[i][j] = i - j;
		}
	on_threads(matmul_rows);
	double sum = 0;
	for (int i = 0; i < N; i++)
		sum += C[i][(i * 7) % N];
	return (uint64_t)(int64_t)sum;
}

/* ---- stencil: 600 sweeps, a barrier after each ---- */
enum { W = 1024, H = 512, SWEEPS = 600 };
static double grid[2][H][W];
static pthread_barrier_t sweep_end;
static void *stencil_rows(void *arg)
{
	int part = (int)(intptr_t)arg, lo = 1 + part * (H - 2) / THREADS, hi = 1 + (part + 1) * (H - 2) / THREADS;
	for (int s = 0; s < SWEEPS; s++) {
		double(*from)[W] = grid[s & 1], (*to)[W] = grid[(s + 1) & 1];
		for (int y = lo; y < hi; y++)
			for (int x = 1; x < W - 1; x++)
				to[y][x] = 0.25 * (from[y - 1][x] + from[y + 1][x] + from[y][x - 1] + from[y][x + 1]);
		pthread_barrier_wait(&sweep_end);
	}
	return NULL;
}
uint64_t work_stencil(void)
{
	for (int x = 0; x < W; x++)
		grid[0][0][x] = grid[1][0][x] = 1000.0;
	pthread_barrier_init(&sweep_end, NULL, THREADS);
	on_threads(stencil_rows);
	return (uint64_t)(grid[0][10][W / 2] * 1000);
}

/* ---- bytes: base64 and CRC over a buffer of its own, many times ---- */
enum { BUF = 3 << 20, ROUNDS = 10 };
static uint32_t crc_table[256];
static uint64_t bytes_sum[THREADS];
static void *bytes_thread(void *arg)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t *in = malloc(BUF);
	char *out = malloc(BUF / 3 * 4);
	uint64_t seed = 1 + (uint64_t)(intptr_t)arg;
	uint32_t crc = ~0u;
	for (size_t i = 0; i < BUF; i++)
		in[i] = (uint8_t)(next_random(&seed) >> 56);
	for (int r = 0; r < ROUNDS; r++) {
		size_t o = 0;
		for (size_t i = 0; i < BUF; i += 3) {
			uint32_t v = (uint32_t)in[i] << 16 | (uint32_t)in[i + 1] << 8 | in[i + 2];
			out[o++] = alphabet[v >> 18];
			out[o++] = alphabet[v >> 12 & 63];
			out[o++] = alphabet[v >> 6 & 63];
			out[o++] = alphabet[v & 63];
		}
		for (size_t i = 0; i < o; i++)
			crc = crc_table[(crc ^ (uint8_t)out[i]) & 255] ^ crc >> 8;
	}
	bytes_sum[(intptr_t)arg] = crc;
	free(in);
	free(out);
	return NULL;
}
uint64_t work_bytes(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;
		for (int k = 0; k < 8; k++)
			c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1;
		crc_table[i] = c;
	}
	on_threads(bytes_thread);
	return bytes_sum[0] ^ bytes_sum[1];
}
